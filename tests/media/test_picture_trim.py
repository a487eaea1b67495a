"""A trim takes the very frames that lie in it, and their sound, however the job is cut."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.spec import Codec, JobSpec
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.media.encoding import run
from tests.media.exact import Frames, frames_of
from tests.media.frames import onset, times
from tests.media.pipeline import (
    assert_published,
    encodes_of,
    failure_of,
    rendition,
    run_job,
    spec,
)

LOSSLESS = rendition(crf=0)


def trimmed(clip: Path, target: Path, trim: Trim, **fields: Any) -> JobSpec:
    """`fields` are the job's."""
    return spec(clip, target, LOSSLESS).model_copy(update={"trim": trim, **fields})


def part_of(frames: Frames, start: Fraction, end: Fraction | None) -> Frames:
    """Those shown in a span that counts from the first frame; their times count from its own."""
    begin = frames[0][0] + start
    inside = [f for f in frames if f[0] >= begin and (end is None or f[0] < frames[0][0] + end)]
    return [(time - inside[0][0], pixels) for time, pixels in inside]


def assert_equal(made: Frames, expected: Frames, tick: Fraction) -> None:
    assert [pixels for _, pixels in made] == [pixels for _, pixels in expected]
    for (have, _), (want, _) in zip(made, expected, strict=True):
        assert abs(have - want) <= tick


@pytest.mark.parametrize(
    ("name", "start", "duration", "chunks"),
    [
        ("vfr-long.mkv", 1.3, 2.1, 1),
        ("vfr-long.mkv", 1.3, 2.1, 3),
        ("open-gop.ts", 1.27, 2.0, 3),
        ("offset.mp4", 2.0, None, 1),
    ],
)
async def test_a_trim_has_the_frames_that_are_shown_in_it(
    name: str,
    start: float,
    duration: float | None,
    chunks: int,
    toolbox: Toolbox,
    clips: Clips,
    out: Path,
) -> None:
    whole, target = out / "whole.mp4", out / "part.mp4"
    await run_job(spec(clips(name), whole, LOSSLESS), toolbox, job="whole")
    wanted = trimmed(clips(name), target, Trim(start=start, duration=duration), chunks=chunks)
    outcome = await run_job(wanted, toolbox)
    assert_published(outcome, target)
    assert (len(encodes_of(outcome)), outcome.replans) == (chunks, [])
    end = None if duration is None else Fraction(str(start)) + Fraction(str(duration))
    expected = part_of(frames_of(whole), Fraction(str(start)), end)
    assert_equal(frames_of(target), expected, Fraction(1, 10_000))


async def test_frames_without_times_of_their_own_are_counted_by_decoding(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    whole, target = out / "whole.mp4", out / "part.mp4"
    await run_job(spec(clips("program.mpg"), whole, LOSSLESS), toolbox, job="whole")
    outcome = await run_job(
        trimmed(clips("program.mpg"), target, Trim(start=1, duration=1.5)), toolbox
    )
    assert_published(outcome, target)
    expected = part_of(frames_of(whole), Fraction(1), Fraction(5, 2))
    assert_equal(frames_of(target), expected, Fraction(1, 10_000))


@pytest.fixture(scope="module")
def flash_and_beep(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """At three seconds the picture turns white and the sound starts."""
    path = tmp_path_factory.mktemp("trim") / "flash.mp4"
    picture = "color=black:size=160x90:rate=25:duration=6,drawbox=c=white:t=fill:enable='gte(t,3)'"
    sound = "sine=frequency=1000:sample_rate=48000:duration=6,volume='gte(t,3)':eval=frame"
    run(
        *(ffmpeg, "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound),
        *("-c:v", "libx264", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", path),
    )
    return path


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", Codec.H264), (".webm", Codec.VP9)])
async def test_picture_and_sound_of_a_trim_stay_together(
    suffix: str, codec: Codec, flash_and_beep: Path, toolbox: Toolbox, out: Path
) -> None:
    target = out / f"a{suffix}"
    wanted = spec(flash_and_beep, target, rendition(codec=codec)).model_copy(
        update={"trim": Trim(start=2.52, duration=2)}
    )
    outcome = await run_job(wanted, toolbox)
    (published,) = assert_published(outcome, target)
    assert abs(onset(target) - 0.48) < 0.01
    assert len(times(target)) == 50
    assert abs(published["duration_seconds"] - 2) < 0.025


async def test_a_rate_of_its_own_starts_at_the_trims_first_frame(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    wanted = spec(clips("offset.mp4"), target, rendition(fps=10)).model_copy(
        update={"trim": Trim(start=1, duration=2)}
    )
    assert_published(await run_job(wanted, toolbox), target)
    assert times(target) == [Fraction(number, 10) for number in range(20)]


async def test_a_trim_behind_the_end_is_refused(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    outcome = await run_job(trimmed(clips("plain.mp4"), out / "a.mp4", Trim(start=2)), toolbox)
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.UNSUPPORTED
    assert "trim.start" in reason
    assert "lasts 2.0" in reason


async def test_a_trim_beyond_the_end_says_so(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    trim = Trim(start=1.5, duration=60)
    outcome = await run_job(trimmed(clips("plain.mp4"), out / "a.mp4", trim), toolbox)
    assert_published(outcome, out / "a.mp4")
    assert len(times(out / "a.mp4")) == 12  # the one at 1.48 is shown before the trim
    assert any("the picture ends at 2.0" in warning for warning in outcome.warnings)


async def test_sound_that_ends_before_a_trim_is_left_out(
    toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    clip = tmp_path / "short-sound.mp4"
    run(
        *(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25:duration=3"),
        *("-f", "lavfi", "-i", "sine=duration=1", "-c:v", "libx264", "-c:a", "aac", clip),
    )
    outcome = await run_job(trimmed(clip, out / "a.mp4", Trim(start=2)), toolbox)
    (published,) = assert_published(outcome, out / "a.mp4")
    assert published["audio"] is None


@pytest.mark.parametrize(
    ("text", "seconds"), [("1:02:03.5", 3723.5), ("02:03", 123), ("0.040", 0.04), (7, 7)]
)
def test_times_are_written_as_seconds_or_as_hours_minutes_and_seconds(
    text: str | float, seconds: float
) -> None:
    assert Trim.model_validate({"start": text}).start == seconds


@pytest.mark.parametrize(
    "text", ["", "1:", "1:2:3:4", "-1", "soon", "1e3", "1.2.3", -1, float("nan")]
)
def test_other_times_are_refused(text: str | float) -> None:
    with pytest.raises(ValueError, match="start"):
        Trim.model_validate({"start": text})
