"""Still images beside the renditions of a job: at their times, whole, and published with them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.spec import Codec, JobSpec
from ffrtmp_ray.media.spec.images import ImageFormat, Images, Poster, Sprite, Thumbnails
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.media.encoding import run
from tests.media.pipeline import (
    assert_nothing_left,
    assert_published,
    failure_of,
    rendition,
    run_job,
    spec,
)

LENGTH = 6


def with_images(clip: Path, target: Path, images: Images, **fields: Any) -> JobSpec:
    """`fields` are the job's."""
    return spec(clip, target).model_copy(update={"images": images, **fields})


@pytest.fixture(scope="module")
def brightening(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """Black for a second; its luma says how many seconds have gone: 35 for each. It has a keyframe
    every half second."""
    return _brightening(tmp_path_factory.mktemp("images") / "brightening.mp4", ffmpeg, 12)


def _brightening(path: Path, ffmpeg: str, gop: int) -> Path:
    picture = f"color=black:size=160x90:rate=24:duration={LENGTH},format=yuv420p"
    picture += ",geq=lum='16+35*floor(T)':cb=128:cr=128"
    run(
        *(ffmpeg, "-v", "error", "-f", "lavfi", "-i", picture, "-c:v", "libx264", "-crf", "10"),
        *("-g", str(gop), "-sc_threshold", "0", path),
    )
    return path


def seconds_in(path: Path, *, columns: int = 1, rows: int = 1) -> list[int]:
    """Which second each part of an image is of; -1 is nothing."""
    with av.open(str(path)) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(float)
    cells = [
        cell
        for row in np.array_split(picture.mean(axis=2), rows, axis=0)
        for cell in np.array_split(row, columns, axis=1)
    ]
    return [round(float(np.median(cell)) * 219 / 255 / 35) for cell in cells]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", ImageFormat)
async def test_images_show_what_is_shown_at_their_times(
    kind: ImageFormat, brightening: Path, toolbox: Toolbox, out: Path
) -> None:
    target = out / "film"
    wanted = Images(
        format=kind,
        poster=Poster(time=3.5),
        thumbnails=Thumbnails(every=2, height=90),
        sprite=Sprite(every=1, height=18, columns=2, rows=2),
    )
    outcome = await run_job(with_images(brightening, target, wanted), toolbox)
    suffix = "jpg" if kind is ImageFormat.JPEG else kind.value
    images = [
        *(f"{name}.{suffix}" for name in ("poster", *(f"thumbnail-0000{n}" for n in range(3)))),
        *(f"sprite-00{number}.{suffix}" for number in range(2)),
        "sprite.vtt",
    ]
    outputs = assert_published(outcome, target / "a.mp4", *(target / name for name in images))
    assert_nothing_left(toolbox, out, target)
    assert [output["image"] for output in outputs[1:5]] == [f"{kind} 160x90"] * 4
    assert names(target) == sorted(["a.mp4", *images])
    assert seconds_in(target / images[0]) == [3]
    assert [seconds_in(target / name) for name in images[1:4]] == [[0], [2], [4]]
    sheets = [seconds_in(target / name, columns=2, rows=2) for name in images[4:6]]
    assert sheets == [[0, 1, 2, 3], [4, 5, *sheets[1][2:]]]


async def test_frames_between_keyframes_are_decoded_where_these_are_few(
    toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    clip = _brightening(tmp_path / "one-keyframe.mp4", ffmpeg, 1000)
    wanted = Images(poster=Poster(), thumbnails=Thumbnails(every=2, height=18))
    await run_job(with_images(clip, out / "film", wanted), toolbox)
    thumbnails = sorted((out / "film").glob("thumbnail-*"))
    assert [seconds_in(path) for path in thumbnails] == [[0], [2], [4]]
    assert seconds_in(out / "film/poster.jpg")[0] >= 1


async def test_webvtt_says_which_part_of_a_sheet_is_when(
    brightening: Path, toolbox: Toolbox, out: Path
) -> None:
    wanted = Images(sprite=Sprite(every=2.5, height=18, columns=2, rows=1))
    await run_job(with_images(brightening, out / "film", wanted), toolbox)
    assert (out / "film/sprite.vtt").read_text() == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:02.500\nsprite-000.jpg#xywh=0,0,32,18\n\n"
        "00:00:02.500 --> 00:00:05.000\nsprite-000.jpg#xywh=32,0,32,18\n\n"
        "00:00:05.000 --> 00:00:06.000\nsprite-001.jpg#xywh=0,0,32,18\n"
    )
    cues = re.findall(r"^(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$", _text(out), re.MULTILINE)
    for name, *numbers in cues:
        x, y, width, height = map(int, numbers)
        with av.open(str(out / "film" / name)) as container:
            sheet = container.streams.video[0]
            assert (x + width <= sheet.width, y + height <= sheet.height) == (True, True)


def _text(out: Path) -> str:
    return (out / "film/sprite.vtt").read_text()


async def test_a_poster_is_not_black(brightening: Path, toolbox: Toolbox, out: Path) -> None:
    wanted = with_images(brightening, out / "film", Images(poster=Poster()))
    await run_job(wanted, toolbox)
    assert seconds_in(out / "film/poster.jpg")[0] >= 1


async def test_a_film_that_is_all_black_has_a_black_poster(
    toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    clip = tmp_path / "black.mp4"
    run(
        *(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "color=black:size=64x64:duration=1"),
        *("-c:v", "libx264", clip),
    )
    outcome = await run_job(with_images(clip, out / "film", Images(poster=Poster())), toolbox)
    assert_published(outcome, out / "film/a.mp4", out / "film/poster.jpg")


async def test_images_are_of_the_trim(brightening: Path, toolbox: Toolbox, out: Path) -> None:
    wanted = Images(poster=Poster(time=0.5), thumbnails=Thumbnails(every=1, height=18))
    trim = Trim(start=2, duration=3)
    await run_job(with_images(brightening, out / "film", wanted, trim=trim), toolbox)
    thumbnails = sorted((out / "film").glob("thumbnail-*"))
    assert [seconds_in(path) for path in thumbnails] == [[2], [3], [4]]
    assert seconds_in(out / "film/poster.jpg") == [2]


async def test_a_trim_without_a_keyframe_has_images(
    brightening: Path, toolbox: Toolbox, out: Path
) -> None:
    wanted = Images(thumbnails=Thumbnails(every=1, height=18))
    trim = Trim(start=2.1, duration=0.3)
    await run_job(with_images(brightening, out / "film", wanted, trim=trim), toolbox)
    assert seconds_in(out / "film/thumbnail-00000.jpg") == [2]


@pytest.mark.parametrize("name", ["interlaced.ts", "rotated.mp4", "hdr.mkv"])
async def test_awkward_pictures_have_images_too(
    name: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    every = Images(poster=Poster(time=1), thumbnails=Thumbnails(every=1), sprite=Sprite(every=0.5))
    wanted = spec(clips(name), out / "film", rendition(codec=Codec.HEVC))
    outcome = await run_job(wanted.model_copy(update={"images": every}), toolbox)
    outputs = assert_published(
        outcome, *(out / "film" / name for name in _in_order(names(out / "film")))
    )
    sizes = {output["path"]: output["image"] for output in outputs}
    with av.open(str(out / "film/poster.jpg")) as container:
        stream = container.streams.video[0]
        assert sizes[str(out / "film/poster.jpg")] == f"jpeg {stream.width}x{stream.height}"
        assert (stream.width < stream.height) is (name == "rotated.mp4")


def _in_order(found: list[str]) -> list[str]:
    """As outputs are listed: files, poster, thumbnails, sheets, WebVTT."""
    order = ["a.mp4", "poster.jpg", "thumbnail", "sprite-", "sprite.vtt"]
    return sorted(found, key=lambda name: (next(i for i, o in enumerate(order) if o in name), name))


async def test_a_poster_behind_the_end_is_refused(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    wanted = with_images(clips("plain.mp4"), out / "film", Images(poster=Poster(time=2)))
    kind, reason = failure_of((await run_job(wanted, toolbox)).last)
    assert kind is FailureKind.UNSUPPORTED
    assert "images.poster.time" in reason


def test_images_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one of"):
        Images()
