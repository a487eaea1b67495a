"""A watermark lies where it should, in every chunk and rendition alike."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.errors import InputRefused, InvalidRequest
from ffrtmp_ray.media.plan.mark import mark_of
from ffrtmp_ray.media.probe.source import ImageFile
from ffrtmp_ray.media.spec import Codec, JobSpec, Measure
from ffrtmp_ray.media.spec.burn import Burn
from ffrtmp_ray.media.spec.watermark import Position, Watermark
from ffrtmp_ray.media.toolbox import Toolbox
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.places import MOST_SIDE_BYTES, check_side_file
from tests.clips import Clips
from tests.media.encoding import run
from tests.media.exact import frames_of
from tests.media.pipeline import (
    assert_published,
    encodes_of,
    failure_of,
    rendition,
    run_job,
    spec,
)
from tests.media.planning import video_stream

DARK = "color=0x404040:size=160x90:rate=25:duration=2,format=yuv420p"
PIPE = "png_pipe"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """A dark film, and a white image in each format."""
    path = tmp_path_factory.mktemp("watermark")
    run(
        *(ffmpeg, "-v", "error", "-f", "lavfi", "-i", DARK, "-c:v", "libx264", "-g", "12"),
        *("-crf", "4", path / "dark.mp4"),
    )
    for kind in ("png", "jpg", "webp"):
        white = "color=white:size=40x20,format=rgb24"
        run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", white, "-frames:v", "1", path / f"w.{kind}")
    return path


def watermarked(clip: Path, target: Path, watermark: Watermark, **fields: Any) -> JobSpec:
    """`fields` are the job's."""
    lossless = rendition(crf=0)
    return spec(clip, target, lossless).model_copy(update={"watermark": watermark, **fields})


def luma(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [f.to_ndarray()[: f.height].astype(int) for f in container.decode(video=0)]


def bright(picture: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is brighter than the film."""
    rows, columns = np.nonzero(picture > 90)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


@pytest.mark.parametrize("kind", ["jpg", "webp"])
async def test_it_lies_at_its_place_in_its_size(
    kind: str, folder: Path, toolbox: Toolbox, out: Path
) -> None:
    watermark = Watermark(image=str(folder / f"w.{kind}"), scale=0.25, margin=0.1)
    outcome = await run_job(watermarked(folder / "dark.mp4", out / "a.mp4", watermark), toolbox)
    assert_published(outcome, out / "a.mp4")
    pictures = luma(out / "a.mp4")
    assert len(pictures) == 50
    assert {bright(picture) for picture in pictures} == {(112, 62, 152, 82)}
    assert abs(int(pictures[0][70, 130]) - 235) <= 2  # white


async def test_it_lets_the_picture_through_by_its_opacity(
    folder: Path, toolbox: Toolbox, out: Path
) -> None:
    watermark = Watermark(image=str(folder / "w.png"), opacity=0.5, position=Position.CENTER)
    await run_job(watermarked(folder / "dark.mp4", out / "a.mp4", watermark), toolbox)
    picture = luma(out / "a.mp4")[0]
    behind = int(picture[0, 0])
    assert abs(int(picture[45, 80]) - (behind + 235) / 2) <= 2


@pytest.mark.parametrize("chunks", [1, 3])
async def test_it_is_shown_for_its_time_however_the_job_is_cut(
    chunks: int, folder: Path, toolbox: Toolbox, out: Path
) -> None:
    watermark = Watermark(image=str(folder / "w.png"), start=0.48, end=1.52)
    wanted = watermarked(folder / "dark.mp4", out / "a.mp4", watermark, chunks=chunks)
    outcome = await run_job(wanted, toolbox)
    assert (len(encodes_of(outcome)), outcome.replans) == (chunks, [])
    shown = [number for number, picture in enumerate(luma(out / "a.mp4")) if picture.max() > 200]
    assert shown == list(range(12, 38))


async def test_chunks_with_it_equal_the_whole(
    folder: Path, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    watermark = Watermark(image=str(folder / "w.png"), opacity=0.7)
    for chunks in (1, 3):
        target = out / f"{chunks}.mp4"
        wanted = watermarked(clips("open-gop.ts"), target, watermark, chunks=chunks)
        assert_published(await run_job(wanted, toolbox, job=f"job{chunks}"), target)
    assert frames_of(out / "1.mp4") == frames_of(out / "3.mp4")


@pytest.fixture(scope="module")
def growing(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """A dark film whose frames grow in its middle. The second part begins 0.08 s later than the
    first one lasts: as late as its B-frames let it be decoded."""
    folder = tmp_path_factory.mktemp("growing")
    for name, words in (("first", ()), ("second", ("-s", "240x136", "-output_ts_offset", "2.08"))):
        run(
            *(ffmpeg, "-v", "error", "-f", "lavfi", "-i", DARK, "-c:v", "libx264", "-g", "12"),
            *("-crf", "4", *words, folder / f"{name}.ts"),
        )
    both = folder / "both.ts"
    both.write_bytes((folder / "first.ts").read_bytes() + (folder / "second.ts").read_bytes())
    return both


@pytest.mark.parametrize("chunks", [1, 3])
async def test_it_stays_where_it_is_when_frames_change_their_size(
    chunks: int, folder: Path, growing: Path, toolbox: Toolbox, out: Path
) -> None:
    watermark = Watermark(image=str(folder / "w.jpg"), scale=0.25, margin=0.1)
    wanted = watermarked(growing, out / "a.mp4", watermark, chunks=chunks)
    outcome = await run_job(wanted, toolbox)
    assert_published(outcome, out / "a.mp4")
    assert (len(encodes_of(outcome)), outcome.replans) == (chunks, [])
    pictures = luma(out / "a.mp4")
    assert len(pictures) == 100
    assert {bright(picture) for picture in pictures} == {(112, 62, 152, 82)}
    assert {abs(int(picture[70, 130]) - 235) <= 2 for picture in pictures} == {True}


@pytest.mark.parametrize("chunks", [1, 3])
async def test_a_cue_is_burned_where_frames_have_changed_their_size(
    chunks: int, growing: Path, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    cues = tmp_path / "cues.srt"
    cues.write_text("1\n00:00:01,000 --> 00:00:03,000\nHHHHHH\n")
    wanted = spec(growing, out / "a.mp4", rendition(crf=0))
    burned = wanted.model_copy(update={"burn": Burn(file=str(cues)), "chunks": chunks})
    outcome = await run_job(burned, toolbox)
    assert_published(outcome, out / "a.mp4")
    assert (len(encodes_of(outcome)), outcome.replans) == (chunks, [])
    shown = [number for number, picture in enumerate(luma(out / "a.mp4")) if picture.max() > 90]
    assert shown == list(range(25, 75))


async def test_a_jpeg_leaves_the_colours_of_a_picture_of_4_2_2(
    folder: Path, toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    clip, stated = tmp_path / "422.mkv", "format=yuv422p,setparams=colorspace=smpte170m:range=tv"
    made = ("-vf", stated, "-c:v", "libx264", "-crf", "4")
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", DARK, *made, clip)
    watermark = Watermark(image=str(folder / "w.jpg"), position=Position.CENTER)
    outcome = await run_job(watermarked(clip, out / "a.mp4", watermark), toolbox)
    assert_published(outcome, out / "a.mp4")
    assert abs(int(luma(out / "a.mp4")[0][45, 80]) - 235) <= 2


async def test_chunks_of_one_image_are_not_taken_for_those_of_another(
    folder: Path, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    image = tmp_path / "image"
    reused = []
    for job, kind in (("a", "png"), ("b", "png"), ("c", "webp")):
        image.write_bytes((folder / f"w.{kind}").read_bytes())
        wanted = watermarked(
            folder / "dark.mp4", out / f"{job}.mp4", Watermark(image=str(image)), chunks=2
        )
        outcome = await run_job(wanted, toolbox, job=job)
        reused.append(outcome.results["encode0"]["reused"])
    assert reused == [[], ["a"], []]


async def test_on_hdr_its_white_is_that_of_paper(
    folder: Path, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    wanted = spec(clips("hdr.mkv"), out / "a.mp4", rendition(codec=Codec.HEVC, crf=4))
    watermark = Watermark(image=str(folder / "w.png"), position=Position.CENTER)
    outcome = await run_job(wanted.model_copy(update={"watermark": watermark}), toolbox)
    assert_published(outcome, out / "a.mp4")
    with av.open(str(out / "a.mp4")) as container:
        picture = next(container.decode(video=0)).to_ndarray()
    assert abs(int(picture[90, 160]) - 573) < 12  # 203 cd/m² in PQ: 0.581 of 64 to 940


async def test_quality_is_measured_against_the_picture_with_it(
    folder: Path, toolbox: Toolbox, out: Path
) -> None:
    watermark = Watermark(image=str(folder / "w.png"), scale=0.5)
    wanted = watermarked(folder / "dark.mp4", out / "a.mp4", watermark, quality=(Measure.PSNR,))
    outcome = await run_job(wanted, toolbox)
    (quality,) = outcome.results["finish"]["quality"]
    assert quality["mean"] > 50


async def test_an_image_that_changes_while_the_job_runs_fails_it(
    folder: Path, toolbox: Toolbox, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "image.png"
    image.write_bytes((folder / "w.png").read_bytes())
    make = toolbox.workspace.make

    def changed(job: str, attempt: str) -> Path:
        if "encode" in attempt:
            image.write_bytes(image.read_bytes() + b" ")
        return make(job, attempt)

    monkeypatch.setattr(toolbox.workspace, "make", changed)
    wanted = watermarked(folder / "dark.mp4", out / "a.mp4", Watermark(image=str(image)))
    kind, reason = failure_of((await run_job(wanted, toolbox)).last)
    assert (kind, "image.png was changed" in reason) == (FailureKind.BAD_INPUT, True)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/></svg>', "no PNG"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "no PNG"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "damaged"),
    ],
)
async def test_what_is_no_image_is_refused(
    content: bytes, why: str, folder: Path, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    image = tmp_path / "image.png"
    image.write_bytes(content)
    wanted = watermarked(folder / "dark.mp4", out / "a.mp4", Watermark(image=str(image)))
    kind, reason = failure_of((await run_job(wanted, toolbox)).last)
    assert kind is FailureKind.BAD_INPUT
    assert "watermark.image" in reason
    assert why in reason


def test_images_outside_the_roots_and_large_ones_are_refused(tmp_path: Path) -> None:
    settings = Settings(input_roots=(tmp_path / "in",))
    (tmp_path / "in").mkdir()
    large, outside = tmp_path / "in/large.png", tmp_path / "outside.png"
    outside.touch()
    with large.open("wb") as file:
        file.truncate(MOST_SIDE_BYTES + 1)
    for path in (large, outside, tmp_path / "in/missing.png"):
        with pytest.raises(InputRefused) as caught:
            check_side_file(str(path), settings, "watermark.image")
        assert caught.value.where == "watermark.image"


def test_a_watermark_keeps_its_shape_on_pixels_that_are_not_square() -> None:
    image = ImageFile(demuxer=PIPE, width=100, height=100)
    video = video_stream(width=720, height=576, sample_aspect=Fraction(2))
    mark = mark_of(Watermark(image="/w.png", scale=0.1), "/w.png", "", image, video)
    assert (mark.width, mark.height) == (72, 144)
    turned = video_stream(width=720, height=576, sample_aspect=Fraction(2), rotation=90)
    mark = mark_of(Watermark(image="/w.png", scale=0.25), "/w.png", "", image, turned)
    assert (mark.width, mark.height) == (144, 72)


def test_a_watermark_larger_than_the_picture_is_refused() -> None:
    image = ImageFile(demuxer=PIPE, width=10, height=1000)
    with pytest.raises(InvalidRequest, match=r"watermark\.scale"):
        mark_of(Watermark(image="/w.png"), "/w.png", "", image, video_stream())
