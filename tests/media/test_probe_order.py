"""Files that say of a packet when it is decoded, and not when its picture is shown."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.toolbox import Toolbox
from tests.media.encoding import run
from tests.media.pipeline import assert_published, encodes_of, run_job, spec
from tests.media.playing import play

FLASH = 1
PICTURE = (
    "testsrc2=size=160x90:rate=25:duration=2,drawbox=t=fill:color=black,"
    f"drawbox=t=fill:color=white:enable='between(t,{FLASH},{FLASH}.15)'"
)
BEEP = f"aevalsrc='sin(2000*PI*t)*between(t,{FLASH},{FLASH}.2)':s=48000:d=2"


def _clip(ffmpeg: str, path: Path) -> Path:
    sources = ("-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", BEEP)
    x264 = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-pix_fmt", "yuv420p")
    run(ffmpeg, "-v", "error", *sources, *x264, "-c:a", "pcm_s16le", path)
    return path


@pytest.mark.parametrize("container", ["avi", "asf", "mxf"])
async def test_frames_get_their_times_in_the_order_in_which_they_are_shown(
    container: str, toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    clip, target = _clip(ffmpeg, tmp_path / f"a.{container}"), out / "a.mp4"
    outcome = await run_job(spec(clip, target).model_copy(update={"chunks": 3}), toolbox)
    assert_published(outcome, target)
    assert not outcome.replans
    assert encodes_of(outcome) == ["encode0"]
    assert "do not say when its frames are shown" in " ".join(outcome.warnings)
    made = play(ffmpeg, target, out)
    assert made.times == [Fraction(number, 25) for number in range(50)]
    assert made.flash == FLASH
    if container == "mxf":  # of which ffmpeg itself shows some frames late, some together
        assert made.beep == pytest.approx(FLASH, abs=0.01)
    else:
        assert made.beep == pytest.approx(play(ffmpeg, clip, tmp_path).beep, abs=0.01)


async def test_a_part_of_such_a_file_can_be_taken(
    toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    clip, target = _clip(ffmpeg, tmp_path / "a.avi"), out / "a.mp4"
    part = spec(clip, target).model_copy(update={"trim": Trim(start=0.6, duration=0.8)})
    outcome = await run_job(part, toolbox)
    assert_published(outcome, target)
    made = play(ffmpeg, target, out)
    assert made.times == [Fraction(number, 25) for number in range(20)]
    assert made.flash == pytest.approx(FLASH - 0.6, abs=0.001)


@pytest.mark.parametrize("suffix", ["h264", "hevc"])
async def test_a_raw_stream_is_shown_at_the_rate_of_its_parameters(
    suffix: str, toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    clip, target = tmp_path / f"a.{suffix}", out / "a.mp4"
    picture = PICTURE.replace("rate=25", "rate=30000/1001")
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", picture, "-bf", "2", clip)
    outcome = await run_job(spec(clip, target).model_copy(update={"chunks": 2}), toolbox)
    assert_published(outcome, target)
    made, played = play(ffmpeg, target, out), play(ffmpeg, clip, tmp_path)
    assert len(made.times) == len(played.times)
    rate = Fraction(30000, 1001)
    assert all(abs(time - k / rate) < Fraction(1, 1000) for k, time in enumerate(made.times))
