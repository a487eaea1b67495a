"""Renditions that the source already is: its packets are copied, and nothing is encoded."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.spec import Codec, Copying, JobSpec, Rendition
from ffrtmp_ray.media.spec.packaging import Packaging
from ffrtmp_ray.media.spec.watermark import Watermark
from ffrtmp_ray.media.steps import copy
from ffrtmp_ray.media.steps.copy import Expected
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.media.exact import frames_of
from tests.media.frames import assert_same_frames
from tests.media.pipeline import (
    Outcome,
    assert_published,
    encodes_of,
    failure_of,
    rendition,
    run_job,
    spec,
)


def _allowed(name: str = "a", **fields: object) -> Rendition:
    return rendition(name, **({"copying": Copying.ALLOWED, "max_bitrate": 5_000_000} | fields))


def _is_copied(outcome: Outcome) -> bool:
    assert ("copy" in outcome.ended) != bool(encodes_of(outcome))
    return "copy" in outcome.ended


def _pixels(path: Path) -> list[str]:
    return [pixels for _, pixels in frames_of(path)]


@pytest.mark.parametrize("clip", ["plain.mp4", "vfr.mp4", "late-picture.mkv", "stream.ts"])
async def test_a_source_that_is_small_enough_is_taken_as_it_is(
    clip: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    outcome = await run_job(spec(clips(clip), out / "a.mp4", _allowed()), toolbox)
    (output,) = assert_published(outcome, out / "a.mp4")
    assert _is_copied(outcome)
    assert "copied from the source, which is what they should be already: a" in outcome.warnings
    assert _pixels(out / "a.mp4") == _pixels(clips(clip))
    assert_same_frames(clips(clip), out / "a.mp4")
    assert output["buffer_seconds"] < 2


@pytest.mark.parametrize(
    ("clip", "fields"),
    [
        ("plain.mp4", {"copying": Copying.NEVER}),
        ("plain.mp4", {"max_bitrate": None}),
        ("plain.mp4", {"max_bitrate": 10_000}),
        ("plain.mp4", {"codec": Codec.HEVC}),
        ("rotated.mp4", {}),
        ("edited.mp4", {}),
        ("fields.mp4", {}),
    ],
)
async def test_what_the_source_is_not_is_encoded(
    clip: str, fields: dict[str, object], toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    outcome = await run_job(spec(clips(clip), out / "a.mp4", _allowed(**fields)), toolbox)
    assert_published(outcome, out / "a.mp4")
    assert not _is_copied(outcome)


async def test_what_a_watermark_lies_over_is_encoded(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    mark = Watermark(image=str(clips("still.png")))
    job = spec(clips("plain.mp4"), out / "a.mp4", _allowed()).model_copy(update={"watermark": mark})
    outcome = await run_job(job, toolbox)
    assert_published(outcome, out / "a.mp4")
    assert not _is_copied(outcome)


async def test_in_a_ladder_only_what_differs_is_encoded(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    small = _allowed("small", height=90)
    job = spec(clips("offset.mp4"), out / "all", _allowed(), small).model_copy(update={"chunks": 3})
    outcome = await run_job(job, toolbox)
    assert_published(outcome, out / "all" / "a.mp4", out / "all" / "small.mp4")
    assert "copy" in outcome.ended
    assert len(encodes_of(outcome)) == 3
    assert {name for each in encodes_of(outcome) for name in outcome.results[each]["files"]} == {
        "small"
    }


@pytest.mark.parametrize(("segment", "expected"), [(2.0, True), (1.5, False)])
async def test_a_package_takes_what_has_keyframes_where_segments_begin(
    segment: float, expected: bool, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    packaging = Packaging.model_validate({"hls": "fmp4", "segment_seconds": segment})
    job = spec(clips("offset.mp4"), out / "hls", _allowed(), packaging=packaging)
    outcome = await run_job(job, toolbox)
    assert "publish" in outcome.ended, outcome.last
    assert _is_copied(outcome) is expected


async def test_a_passthrough_keeps_any_codec(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    job = JobSpec(input=str(clips("tenbit.mkv")), output=str(out / "a.mp4"), preset="passthrough")
    outcome = await run_job(job, toolbox)
    (output,) = assert_published(outcome, out / "a.mp4")
    assert _is_copied(outcome)
    assert output["video"] == "hevc 320x180"


async def test_a_passthrough_that_cannot_be_is_refused(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    job = JobSpec(input=str(clips("rotated.mp4")), output=str(out / "a.mp4"), preset="passthrough")
    kind, reason = failure_of((await run_job(job, toolbox)).last)
    assert kind is FailureKind.UNSUPPORTED
    assert "source cannot be copied: the source is turned when it is shown" in reason


async def test_a_copy_that_is_not_exact_is_encoded_instead(
    toolbox: Toolbox, clips: Clips, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copy, "Expected", lambda frames, span: Expected(frames + 1, span))
    outcome = await run_job(spec(clips("plain.mp4"), out / "a.mp4", _allowed()), toolbox)
    assert_published(outcome, out / "a.mp4")
    assert not _is_copied(outcome)
    assert outcome.replans == ["the source cannot be copied: 50 frames were made of 51"]
