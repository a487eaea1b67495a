"""The command lines that make still images of a picture. Pure."""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.media.encode.graph import shared_graph
from ffrtmp_ray.media.encode.light import tone_map
from ffrtmp_ray.media.encode.opening import opening
from ffrtmp_ray.media.encode.video import first_filters, input_options
from ffrtmp_ray.media.encode.work import VideoWork
from ffrtmp_ray.media.image_encoders import IMAGE_ENCODERS
from ffrtmp_ray.media.images.names import POSTER, SHEETS, THUMBNAILS
from ffrtmp_ray.media.images.work import ImagesWork, PosterWork, SeriesWork, SpriteWork
from ffrtmp_ray.media.spec.images import ImageFormat

POSTER_WINDOW = 120
"""Seconds from the beginning in which a poster is looked for."""
_CANDIDATES = 24
"""Frames of which the most typical one is the poster."""
_BLACK = "threshold=32"
"""Luma, of 255, below which a pixel counts as black (16 is black itself)."""
_MOSTLY = 85
"""Percent of black pixels from which on a frame is no poster."""


def poster_argv(
    ffmpeg: str, source: str, work: PosterWork, kind: ImageFormat, to: Path
) -> list[str]:
    """Makes the frame that `work.video` has as its chunk."""
    chain = [*first_filters(work.video), *_sized(work.video, work.width, work.height)]
    return [
        *opening(ffmpeg, source, threads=1),
        *input_options(work.video),
        *("-i", source, "-filter_complex", shared_graph(_pad(work.video), [chain + _ending(kind)])),
        *_output("[out0]", kind, to / POSTER, frames=1),
    ]


def chosen_poster_argv(
    ffmpeg: str, source: str, images: ImagesWork, work: PosterWork, to: Path
) -> list[str]:
    """Makes the most typical of some frames that are not black; nothing, where all are."""
    chain = [
        *first_filters(images.video),
        f"trim=end={POSTER_WINDOW}",
        *([] if images.keyframes else ["fps=1"]),
        *_sized(images.video, work.width, work.height),
        "format=yuv420p",
        f"blackframe=amount=0:{_BLACK}",
        f"metadata=mode=select:key=lavfi.blackframe.pblack:value={_MOSTLY}:function=less",
        f"thumbnail=n={_CANDIDATES}",
        *_ending(images.format),
    ]
    return [
        *_reading(ffmpeg, source, images),
        *("-filter_complex", shared_graph(_pad(images.video), [chain])),
        *_output("[out0]", images.format, to / POSTER, frames=1),
    ]


def series_argv(ffmpeg: str, source: str, images: ImagesWork, to: Path) -> list[str]:
    """Makes thumbnails and sheets, both from one decode."""
    chains, names = [], []
    if images.thumbnails is not None:
        chains.append([*_series(images, images.thumbnails), *_ending(images.format)])
        names.append(THUMBNAILS)
    if images.sprite is not None:
        chains.append([*_series(images, images.sprite), *_tiled(images.sprite, images.format)])
        names.append(SHEETS)
    argv = [*_reading(ffmpeg, source, images)]
    argv += ["-filter_complex", shared_graph(_pad(images.video), chains)]
    for number, name in enumerate(names):
        argv += _output(f"[out{number}]", images.format, to / name)
    return argv


def decoding_argv(ffmpeg: str, kind: ImageFormat, name: Path) -> list[str]:
    """Decodes all images that are called so, and fails where one is damaged."""
    argv = [ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "level+warning", "-xerror"]
    argv += ["-nostats", "-progress", "pipe:1", "-protocol_whitelist", "file"]
    argv += ["-f", "image2", "-start_number", "0", "-i", _file(kind, name)]
    return [*argv, "-f", "null", "-"]


def _reading(ffmpeg: str, source: str, images: ImagesWork) -> list[str]:
    """Up to the input, and with it."""
    argv = [*opening(ffmpeg, source, threads=1), *input_options(images.video)]
    return [*argv, *(("-skip_frame", "nokey") if images.keyframes else ()), "-i", source]


def _pad(video: VideoWork) -> str:
    return f"[0:{video.stream}]"


def _sized(video: VideoWork, width: int, height: int) -> list[str]:
    """Of that size, and SDR."""
    tone = tone_map(video.color, video.light) if video.color.hdr else ()
    return [f"scale={width}:{height}", "setsar=1", *tone]


def _series(images: ImagesWork, series: SeriesWork) -> list[str]:
    """`fps` with `round=up` shows at each of its times the frame that is shown then. The last one
    is repeated for what no keyframe comes for."""
    return [
        *first_filters(images.video),
        f"fps={1 / series.every}:start_time=0:round=up",
        "tpad=stop=-1:stop_mode=clone",
        f"trim=end_frame={series.number}",
        *_sized(images.video, series.width, series.height),
    ]


def _ending(kind: ImageFormat) -> list[str]:
    return list(IMAGE_ENCODERS[kind].filters)


def _tiled(sprite: SpriteWork, kind: ImageFormat) -> list[str]:
    """Put together as RGB, whose black is black in each format."""
    return ["format=gbrp", f"tile={sprite.columns}x{sprite.rows}", *_ending(kind)]


def _output(pad: str, kind: ImageFormat, name: Path, *, frames: int | None = None) -> list[str]:
    return [
        *("-map", pad, "-map_metadata", "-1", "-fps_mode", "passthrough"),
        *IMAGE_ENCODERS[kind].options,
        *(() if frames is None else ("-frames:v", str(frames), "-update", "1")),
        *("-f", "image2", "-start_number", "0", _file(kind, name)),
    ]


def _file(kind: ImageFormat, name: Path) -> str:
    """For ffmpeg, which puts numbers where it finds a percent sign."""
    folder = str(name.parent).replace("%", "%%")
    return f"{folder}/{name.name}.{IMAGE_ENCODERS[kind].suffix}"
