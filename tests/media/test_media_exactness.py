"""No frame is lost in an encode without anybody noticing."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.assignment import Ended, Succeeded
from ffrtmp_ray.media.plan.payloads import EncodePayload
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.steps import encoding
from ffrtmp_ray.media.steps.exactness import Expected, difference
from ffrtmp_ray.media.tasks import TaskRun
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.media.frames import assert_same_frames
from tests.media.pipeline import (
    assert_nothing_left,
    assert_published,
    assignment,
    failure_of,
    run_job,
    spec,
    tasks_of,
)

# ------------------------------------------------------------------------------ exactness


async def _encode(
    toolbox: Toolbox, clip: Path, out: Path, change: Callable[[EncodePayload], EncodePayload]
) -> Ended:
    task = (await tasks_of(spec(clip, out / "a.mp4"), toolbox))["encode0"]
    payload = change(EncodePayload.model_validate(task.payload))
    changed = replace(task, payload=payload.model_dump(mode="json"))
    return await TaskRun(assignment(changed, {}), toolbox).run()


async def test_an_encode_says_what_it_has_made(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    ended = await _encode(toolbox, clips("silent.mp4"), out, lambda payload: payload)
    assert isinstance(ended, Succeeded)
    made = ended.result["files"]["a"]
    assert made["path"] == "job/job-encode0-1-1/a.mp4"
    assert made["frames"] == 50
    assert len(made["extradata"]) == 64
    assert ended.result["ffmpeg"]


async def test_packets_that_are_no_frames_are_recounted_by_decoding(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    ended = await _encode(
        toolbox,
        clips("silent.mp4"),
        out,
        lambda payload: payload.model_copy(update={"frames": payload.frames + 1}),
    )
    assert isinstance(ended, Succeeded)
    (warning,) = ended.result["warnings"]
    assert "51 packets" in warning
    assert "50 frames" in warning


async def test_frames_that_are_lost_in_encoding_are_no_success(
    toolbox: Toolbox, clips: Clips, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = encoding.video_argv

    def lossy(*args: Any, **options: Any) -> list[str]:
        *argv, output = build(*args, **options)
        return [*argv, "-frames:v", "40", output]

    monkeypatch.setattr(encoding, "video_argv", lossy)
    ended = await _encode(toolbox, clips("silent.mp4"), out, lambda payload: payload)
    kind, reason = failure_of(ended)
    assert kind is FailureKind.INEXACT
    assert "40 frames were made of 50" in reason
    assert toolbox.workspace.attempts("job") == frozenset()


def _made(frames: int, first: Fraction, span: Fraction) -> VideoStream:
    return VideoStream(
        index=0,
        codec="h264",
        width=64,
        height=64,
        pixel_format="yuv420p",
        bit_depth=8,
        time_base=Fraction(1, 12800),
        frames=frames,
        countable=True,
        first=first,
        last=first + span,
        end=first + span,
    )


TICK = Fraction(1, 12800)
SPAN = Fraction(49, 25)


@pytest.mark.parametrize(
    ("frames", "first", "span", "wrong"),
    [
        (50, Fraction(0), SPAN, None),
        (50, TICK, SPAN - TICK, None),
        (49, Fraction(0), SPAN, "49 frames were made of 50"),
        (50, 2 * TICK, SPAN, "the first frame is"),
        (50, Fraction(0), SPAN + 2 * TICK, "the frames span"),
        (50, Fraction(0), SPAN - 2 * TICK, "the frames span"),
    ],
)
def test_an_encode_is_exact_to_a_tick(
    frames: int, first: Fraction, span: Fraction, wrong: str | None
) -> None:
    expected = Expected(50, SPAN, Fraction(1, 25))
    found = difference(expected, _made(frames, first, span), timescale=12800, fps=None)
    assert found is None if wrong is None else wrong in str(found)


@pytest.mark.parametrize(("frames", "good"), [(18, False), (19, True), (21, True), (22, False)])
def test_frames_of_another_rate_fill_the_time(frames: int, good: bool) -> None:
    expected = Expected(50, SPAN, Fraction(1, 25))
    made = _made(frames, Fraction(0), Fraction(19, 10))
    assert (difference(expected, made, timescale=12800, fps=10) is None) == good


async def test_a_chunk_that_is_not_exact_has_the_job_made_in_one_piece(
    toolbox: Toolbox, clips: Clips, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = encoding.video_argv

    def lossy(*args: Any, **options: Any) -> list[str]:
        *argv, output = build(*args, **options)
        second = any("start_pts" in word for word in argv)
        return [*argv, *(("-frames:v", "9") if second else ()), output]

    monkeypatch.setattr(encoding, "video_argv", lossy)
    cut = spec(clips("silent.mp4"), out / "a.mp4").model_copy(update={"chunks": 2})
    outcome = await run_job(cut, toolbox)
    (why,) = outcome.replans
    assert why == "the chunk at 1.000 s is not exact: a: 9 frames were made of 25"
    assert_published(outcome, out / "a.mp4")
    assert_same_frames(clips("silent.mp4"), out / "a.mp4")
    assert outcome.warnings[0].startswith("inexact: the chunk at 1.000 s is not exact")
    assert_nothing_left(toolbox, out, out / "a.mp4")


@pytest.fixture
def make_unlike(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """Has the second chunk made by an encoder of another kind, so many times."""
    build = encoding.video_argv

    def begin(times: int) -> list[int]:
        seconds: list[int] = []

        def unlike(*args: Any, **options: Any) -> list[str]:
            *argv, output = build(*args, **options)
            if any("start_pts" in word for word in argv):
                seconds.append(len(seconds))
                if len(seconds) <= times:
                    argv += ["-profile:v", "baseline"]
            return [*argv, output]

        monkeypatch.setattr(encoding, "video_argv", unlike)
        return seconds

    return begin


UNLIKE = "the chunks of a cannot be joined: their encoders differ"


async def test_a_chunk_that_does_not_fit_the_others_is_made_again(
    toolbox: Toolbox, clips: Clips, out: Path, make_unlike: Callable[[int], list[int]]
) -> None:
    make_unlike(1)
    cut = spec(clips("silent.mp4"), out / "a.mp4").model_copy(update={"chunks": 2})
    outcome = await run_job(cut, toolbox)
    assert outcome.replans == [UNLIKE]
    assert outcome.results["encode0"]["reused"] == ["a"]
    assert outcome.results["encode1"]["reused"] == []
    assert_same_frames(clips("silent.mp4"), out / "a.mp4")
    assert not [text for text in outcome.warnings if "inexact" in text]


async def test_one_that_never_fits_has_the_job_made_in_one_piece(
    toolbox: Toolbox, clips: Clips, out: Path, make_unlike: Callable[[int], list[int]]
) -> None:
    tried = make_unlike(9)
    cut = spec(clips("silent.mp4"), out / "a.mp4").model_copy(update={"chunks": 2})
    outcome = await run_job(cut, toolbox)
    assert outcome.replans == [UNLIKE, UNLIKE]
    assert len(tried) == 2
    assert_same_frames(clips("silent.mp4"), out / "a.mp4")
    assert UNLIKE in outcome.warnings[0]


def _scratched(clip: Path, to: Path, *, start: int, length: int) -> Path:
    content = bytearray(clip.read_bytes())
    begin = content.index(b"mdat") + start
    content[begin : begin + length] = bytes(length)
    to.write_bytes(content)
    return to


async def test_a_badly_damaged_source_fails_and_says_so(
    toolbox: Toolbox, clips: Clips, out: Path, tmp_path: Path
) -> None:
    clip = _scratched(clips("silent.mp4"), tmp_path / "bad.mp4", start=9_000, length=30_000)
    outcome = await run_job(spec(clip, out / "a.mp4"), toolbox)
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.BAD_INPUT
    assert "damaged" in reason
    assert_nothing_left(toolbox, out)


async def test_a_source_whose_times_are_broken_fails_as_inexact_and_says_why(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    outcome = await run_job(spec(clips("negative.mkv"), out / "a.mp4"), toolbox)
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.INEXACT
    assert "the source shows frames at the same time" in reason


async def test_a_gap_before_the_last_frame_is_kept_and_counts_as_length(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    clip, target = clips("late-end.mp4"), out / "a.mp4"
    outcome = await run_job(spec(clip, target), toolbox)
    (output,) = assert_published(outcome, target)
    assert output["duration_seconds"] == pytest.approx(3.0, abs=0.001)


async def test_of_a_file_that_was_cut_off_everything_before_is_kept(
    toolbox: Toolbox, clips: Clips, out: Path, tmp_path: Path
) -> None:
    whole = clips("recorded.flv").read_bytes()
    clip, target = tmp_path / "half.flv", out / "a.mp4"
    clip.write_bytes(whole[: len(whole) * 9 // 10])
    wanted = spec(clip, target).model_copy(update={"chunks": 2})
    outcome = await run_job(wanted, toolbox)
    assert_published(outcome, target)
    assert not outcome.replans
    assert "1 packets are damaged" in " ".join(outcome.warnings)
