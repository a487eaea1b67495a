"""Jobs that are measured: the same scores however the picture is cut, and on the job."""

from __future__ import annotations

import csv
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.assignment import Succeeded
from ffrtmp_ray.media.spec import Codec, JobSpec, Measure, Rendition
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.spec.watermark import Watermark
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

SMALL = rendition("small", height=90, crf=35)


def _measured(
    clip: Path,
    output: Path,
    *renditions: Rendition,
    by: tuple[str, ...] = ("vmaf",),
    chunks: int = 1,
) -> JobSpec:
    asked = {"quality": tuple(map(Measure, by)), "chunks": chunks}
    return spec(clip, output, *(renditions or (SMALL,))).model_copy(update=asked)


def _quality(outcome: Outcome) -> dict[tuple[str, str], dict[str, Any]]:
    views = outcome.results["finish"]["quality"]
    return {(view["rendition"], view["measure"]): view for view in views}


def _whole_file(ffmpeg: str, made: Path, source: Path, log: Path) -> list[float]:
    """VMAF of each frame of an output as anybody would measure it, with one plain command."""
    graph = (
        "[0:v]scale=320:180:flags=bicubic,settb=1/25,setpts=N[made];[1:v]settb=1/25,setpts=N[from];"
        f"[made][from]libvmaf=log_fmt=csv:log_path={log}"
    )
    run(ffmpeg, "-i", made, "-i", source, "-lavfi", graph, "-f", "null", "-")
    with log.open() as lines:
        return [float(row["vmaf"]) for row in csv.DictReader(lines)]


@pytest.mark.parametrize("chunks", [1, 3])
async def test_a_job_in_chunks_scores_what_its_whole_file_does(
    toolbox: Toolbox, clips: Clips, out: Path, ffmpeg: str, tmp_path: Path, chunks: int
) -> None:
    clip, made = clips("open-gop.mp4"), out / "a.mp4"
    outcome = await run_job(_measured(clip, made, chunks=chunks), toolbox)
    assert_published(outcome, made)
    assert_nothing_left(toolbox, out, made)
    assert [name for name in outcome.ended if name.startswith("measure")] == [
        f"measure{number}" for number in range(chunks)
    ]
    (view,) = _quality(outcome).values()
    frames = _whole_file(ffmpeg, made, clip, tmp_path / "whole.csv")
    assert view == {
        "rendition": "small",
        "measure": "vmaf",
        "model": "vmaf_v0.6.1",
        "compared_at": "320x180",
        "frames": len(frames),
        "mean": pytest.approx(fmean(frames), abs=0.001),
        "harmonic_mean": pytest.approx(
            len(frames) / sum(1 / (score + 1) for score in frames) - 1, abs=0.001
        ),
        "percentile_1": pytest.approx(sorted(frames)[0], abs=0.051),
    }


@pytest.mark.parametrize("chunks", [1, 2])
async def test_only_the_part_that_is_taken_is_measured(
    toolbox: Toolbox, clips: Clips, out: Path, chunks: int
) -> None:
    asked = _measured(clips("open-gop.mp4"), out / "a.mp4", rendition(crf=4), chunks=chunks)
    part = asked.model_copy(update={"trim": Trim(start=1.0, duration=2.0)})
    (view,) = _quality(await run_job(part, toolbox)).values()
    assert view["frames"] == 50
    assert view["mean"] > 95


AWKWARD = [
    "odd.mkv",
    "rgb.gif",
    "rotated.mp4",
    "interlaced.ts",
    "intra.mov",
]


@pytest.mark.parametrize("name", AWKWARD)
async def test_a_faithful_encode_scores_high_whatever_its_source_is_like(
    toolbox: Toolbox, clips: Clips, out: Path, name: str
) -> None:
    """Turned, stretched, deinterlaced or repainted in another way, it would score low."""
    faithful = rendition("a", crf=4)
    by = ("vmaf", "psnr", "ssim")
    asked = _measured(clips(name), out / "a.mp4", faithful, by=by, chunks=2)
    outcome = await run_job(asked, toolbox)
    scores = {measure: view["mean"] for (_, measure), view in _quality(outcome).items()}
    assert scores["psnr"] > 40
    assert scores["ssim"] > 0.98
    assert scores["vmaf"] > 95


@pytest.mark.parametrize(
    ("lines", "known"), [(18, "vmaf ssim psnr"), (16, "ssim psnr"), (10, "psnr")]
)
async def test_what_a_picture_is_too_small_for_is_not_measured(
    toolbox: Toolbox, ffmpeg: str, tmp_path: Path, out: Path, lines: int, known: str
) -> None:
    clip = tmp_path / "thin.mkv"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", f"testsrc2=size=64x{lines}:duration=0.4", clip)
    asked = _measured(clip, out / "a.mp4", rendition("a"), by=("vmaf", "ssim", "psnr"))
    outcome = await run_job(asked, toolbox)
    assert [measure for _, measure in _quality(outcome)] == known.split()
    missing = sorted({"vmaf", "ssim", "psnr"} - set(known.split()))
    told = {text for text in outcome.warnings if "is not measured" in text}
    assert told == {
        f"{name.upper()} is not measured: pictures of 64x{lines} are too small for it"
        for name in missing
    }


async def test_a_watermark_is_part_of_what_is_compared_with(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    """Shown from the middle of the first chunk on."""
    asked = _measured(clips("plain.mp4"), out / "a.mp4", rendition(crf=4), chunks=2)
    mark = Watermark(image=str(clips("still.png")), scale=0.5, start=0.5)
    marked = asked.model_copy(update={"watermark": mark})
    (view,) = _quality(await run_job(marked, toolbox)).values()
    assert view["percentile_1"] > 90


async def test_each_rendition_of_a_ladder_is_scored_at_the_sources_size(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    ladder = (rendition("a", crf=10), rendition("b", height=90), rendition("c", fps=10, crf=10))
    asked = _measured(clips("plain.mp4"), out / "made", *ladder, chunks=2, by=("ssim", "psnr"))
    quality = _quality(await run_job(asked, toolbox))
    assert list(quality) == [(name, by) for name in "abc" for by in ("ssim", "psnr")]
    assert {view["compared_at"] for view in quality.values()} == {"320x180"}
    assert [quality[name, "ssim"]["frames"] for name in "abc"] == [50, 50, 20]
    assert quality["a", "ssim"]["mean"] > 0.98 > quality["b", "ssim"]["mean"]
    assert quality["c", "ssim"]["mean"] > 0.98


async def test_what_stays_hdr_is_measured_but_not_by_vmaf_and_that_is_said(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    kept = rendition("kept", codec=Codec.HEVC, crf=4)
    mapped = rendition("mapped", crf=4, dynamic_range="sdr")
    asked = _measured(clips("hdr.mkv"), out / "made", kept, mapped, by=("vmaf", "psnr"))
    outcome = await run_job(asked, toolbox)
    assert "VMAF is not measured of kept: its models do not know HDR" in outcome.warnings
    scores = {about: view["mean"] for about, view in _quality(outcome).items()}
    assert list(scores) == [("kept", "psnr"), ("mapped", "vmaf"), ("mapped", "psnr")]
    assert scores["kept", "psnr"] > 40 < scores["mapped", "psnr"]
    assert scores["mapped", "vmaf"] > 95


async def test_an_encode_that_cannot_be_paired_with_its_source_is_not_scored_and_that_is_said(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    tasks = await tasks_of(_measured(clips("plain.mp4"), out / "a.mp4"), toolbox)
    encoded = await TaskRun(assignment(tasks["encode0"], {}), toolbox).run()
    assert isinstance(encoded, Succeeded)
    file = toolbox.workspace.absolute(encoded.result["files"]["small"]["path"])
    file.write_bytes(clips("one-frame.mp4").read_bytes())
    results = {"encode0": encoded.result}
    ended = await TaskRun(assignment(tasks["measure0"], results), toolbox).run()
    assert isinstance(ended, Succeeded)
    assert ended.result["measured"]["scores"] == {}
    assert ended.result["warnings"] == [
        "the quality of small is not known: the chunk has 50 frames with those beside it, "
        "of which the source gave 50 and 1 could be compared"
    ]


async def test_a_source_that_has_changed_is_not_compared_with(
    toolbox: Toolbox, clips: Clips, out: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(clips("plain.mp4").read_bytes())
    tasks = await tasks_of(_measured(clip, out / "a.mp4"), toolbox)
    encoded = await TaskRun(assignment(tasks["encode0"], {}), toolbox).run()
    assert isinstance(encoded, Succeeded)
    clip.write_bytes(clips("open-gop.mp4").read_bytes())
    results = {"encode0": encoded.result}
    kind, reason = failure_of(await TaskRun(assignment(tasks["measure0"], results), toolbox).run())
    assert kind is FailureKind.BAD_INPUT
    assert "was changed while the job ran" in reason


async def test_a_job_that_asks_for_no_measure_has_no_such_task(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    tasks = await tasks_of(spec(clips("plain.mp4"), out / "a.mp4"), toolbox)
    assert {task.kind for task in tasks.values()} == {"encode", "audio", "finish"}
