"""Renditions with a target instead of a crf: probed, then encoded by what was found."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.assignment import Succeeded
from ffrtmp_ray.media.plan import check_spec
from ffrtmp_ray.media.plan.samples import MOST_SAMPLES, samples_of
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.quality.search import TOLERANCE
from ffrtmp_ray.media.spec import Codec, GpuUse, Measure, Rendition
from ffrtmp_ray.media.tasks import TaskRun
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.media.encoding import run
from tests.media.pipeline import (
    Outcome,
    assert_nothing_left,
    assert_published,
    assignment,
    failure_of,
    rendition,
    run_job,
    spec,
    tasks_of,
)


@pytest.fixture(scope="session")
def title(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds, of which two samples of two seconds are probed."""
    path = tmp_path_factory.mktemp("title") / "title.mp4"
    picture = "testsrc2=size=160x90:rate=25:duration=8,noise=alls=12:allf=t:all_seed=1"
    run(ffmpeg, "-f", "lavfi", "-i", picture, "-c:v", "libx264", "-crf", "10", "-g", "25", path)
    return path


def _targeted(vmaf: float, **fields: Any) -> Rendition:
    return rendition(crf=None, target_vmaf=vmaf, **fields)


def _tuned(outcome: Outcome, number: int = 0) -> dict[str, Any]:
    view: dict[str, Any] = outcome.results[f"tune{number}"]["tuned"]
    return view


async def test_the_whole_output_scores_what_was_wanted(
    toolbox: Toolbox, title: Path, out: Path
) -> None:
    made = out / "a.mp4"
    asked = spec(title, made, _targeted(85))
    measured = asked.model_copy(update={"quality": (Measure.VMAF,), "chunks": 2})
    outcome = await run_job(measured, toolbox)
    assert_published(outcome, made)
    assert_nothing_left(toolbox, out, made)
    tuned = _tuned(outcome)
    assert (tuned["rendition"], tuned["target_vmaf"], tuned["samples"]) == ("a", 85, 2)
    assert {"crf": tuned["crf"], "vmaf": tuned["vmaf"]} in tuned["probes"]
    assert tuned["vmaf"] >= 85 - TOLERANCE
    (score,) = outcome.results["finish"]["quality"]
    assert score["mean"] == pytest.approx(85, abs=1.5)
    assert outcome.warnings == ["the source has no sound that can be used"]


async def test_the_same_title_has_the_same_crf_on_every_worker(
    toolbox: Toolbox, title: Path, out: Path
) -> None:
    tune = (await tasks_of(spec(title, out / "a.mp4", _targeted(85)), toolbox))["tune0"]
    found = []
    for cpus in (1, 2):
        ended = await TaskRun(assignment(tune, {}, job=f"on{cpus}", cpus=cpus), toolbox).run()
        assert isinstance(ended, Succeeded)
        found.append(ended.result)
    assert found[0] == found[1]


async def test_only_renditions_with_a_target_are_probed_and_none_twice(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    """The chunks of a job that is planned anew have their crf by then."""
    ladder = (rendition("a", crf=40), _targeted(60, name="b"), _targeted(50, name="c", fps=10))
    asked = spec(clips("plain.mp4"), out / "made", *ladder)
    outcome = await run_job(asked, toolbox, up_to="plan-tuned")
    assert list(outcome.ended) == ["plan", "tune0", "tune1", "plan-tuned"]
    last = outcome.last
    assert isinstance(last, Succeeded)
    (encode,) = (task for task in last.spawn if task.kind == "encode")
    made = {
        each["rendition"]["name"]: each["rendition"] for each in encode.payload["video"]["outputs"]
    }
    assert {name: each["target_vmaf"] for name, each in made.items()} == dict.fromkeys("abc")
    assert made["a"]["crf"] == 40
    assert [made["b"]["crf"], made["c"]["crf"]] == [
        _tuned(outcome, number)["crf"] for number in (0, 1)
    ]


async def test_what_cannot_be_had_is_said_with_the_best_that_can(
    toolbox: Toolbox, title: Path, out: Path
) -> None:
    asked = spec(title, out / "a.mp4", _targeted(99, height=30))
    outcome = await run_job(asked, toolbox, up_to="tune0")
    tuned = _tuned(outcome)
    best = max(probe["vmaf"] for probe in tuned["probes"])
    assert outcome.warnings == [
        f"a cannot have a VMAF of 99: the best that was found is {best:g}, "
        f"and crf {tuned['crf']:g} comes to {tuned['vmaf']:g}"
    ]
    assert tuned["vmaf"] >= best - 1.5


async def test_hdr_has_no_vmaf_to_aim_at(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    asked = spec(clips("hdr.mkv"), out / "a.mp4", _targeted(90, codec=Codec.HEVC))
    kind, reason = failure_of((await run_job(asked, toolbox)).last)
    assert kind is FailureKind.UNSUPPORTED
    assert "the source is HDR" in reason
    assert "ladder.renditions[0].target_vmaf" in reason


async def test_a_picture_may_be_too_small_for_vmaf(
    toolbox: Toolbox, ffmpeg: str, tmp_path: Path, out: Path
) -> None:
    clip = tmp_path / "thin.mkv"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x16:duration=1", clip)
    kind, reason = failure_of(
        (await run_job(spec(clip, out / "a.mp4", _targeted(90)), toolbox)).last
    )
    assert kind is FailureKind.UNSUPPORTED
    assert "the picture has 320x16 pixels, which is too small for VMAF" in reason
    assert "(give a crf)" in reason


@pytest.mark.parametrize("fields", [{"crf": 20, "target_vmaf": 90}, {"crf": None}])
def test_a_rendition_has_either_a_crf_or_a_target(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="either `crf` or `target_vmaf`"):
        rendition(**fields)


def test_a_gpus_encoder_is_not_given_what_was_found_with_a_cpus() -> None:
    asked = spec(Path("/in.mp4"), Path("/out.mp4"), _targeted(90))
    check_spec(asked)
    with pytest.raises(InvalidRequest, match="means something else") as refusal:
        check_spec(asked.model_copy(update={"gpu": GpuUse.PREFER}))
    assert refusal.value.where == "ladder.renditions[0].target_vmaf"


# --------------------------------------------------------------------------------------- samples


def _video(seconds: int, **fields: Any) -> VideoStream:
    ticks = tuple(range(1000, 1000 + seconds * 25))
    known = {
        "index": 0,
        "codec": "h264",
        "width": 320,
        "height": 180,
        "pixel_format": "yuv420p",
        "bit_depth": 8,
        "time_base": Fraction(1, 25),
        "frames": len(ticks),
        "countable": True,
        "first": Fraction(40),
        "last": Fraction(ticks[-1], 25),
        "end": Fraction(40 + seconds),
        "keyframes": ticks[::50],
        "ticks": ticks,
    }
    return VideoStream.model_validate(known | fields)


def test_samples_are_spread_evenly_over_the_title() -> None:
    spans = [(each.start_pts, each.end_pts) for each in samples_of(_video(64))]
    assert spans == [(1000 + start * 25, 1050 + start * 25) for start in range(3, 64, 8)]


def test_a_long_title_has_as_many_as_there_are_at_most() -> None:
    samples = samples_of(_video(3600))
    assert len(samples) == MOST_SAMPLES
    assert all(each.end_pts - each.start_pts == 50 for each in samples)
    assert all(each.seek_seconds is not None for each in samples)


def test_a_short_title_is_its_own_sample() -> None:
    (sample,) = samples_of(_video(4))
    assert (sample.start_pts, sample.end_pts, sample.seek_seconds) == (None, None, None)


def test_a_title_that_shows_few_pictures_is_sampled_where_they_are() -> None:
    (sample,) = samples_of(_video(64, ticks=(1000, 1880, 2400), frames=3))
    assert sample.start_pts == 1000 + 35 * 25
    (whole,) = samples_of(_video(64, ticks=(1000, 1200, 2400), frames=3))
    assert (whole.start_pts, whole.end_pts) == (None, None)


def test_a_title_whose_times_are_not_known_is_sampled_all_the_same() -> None:
    assert len(samples_of(_video(60, ticks=(), countable=False))) == 7
