"""Encodes a clip as the product does, and looks at what came out. Times are exact fractions."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from ffrtmp_ray.media.encode.size import fit
from ffrtmp_ray.media.encode.video import video_argv
from ffrtmp_ray.media.encode.work import OutputWork, VideoWork
from ffrtmp_ray.media.spec import Codec, Effort, Rendition
from ffrtmp_ray.media.timing import timescale


@dataclass(frozen=True)
class Seen:
    """What PyAV sees of a file's picture."""

    stream: int
    width: int
    height: int
    rate: Fraction
    time_base: Fraction
    pts: list[int]

    @property
    def times(self) -> list[Fraction]:
        return [pts * self.time_base for pts in self.pts]


def look(path: Path) -> Seen:
    pts: list[int] = []
    with av.open(path, metadata_errors="ignore") as container:
        stream = container.streams.best("video")
        assert stream is not None
        for packet in container.demux(stream):
            pts += [frame.pts for frame in packet.decode() if frame.pts is not None]
        assert stream.time_base is not None
        size = (stream.codec_context.width, stream.codec_context.height)
        rate = stream.average_rate or Fraction(25)
        return Seen(stream.index, *size, rate, stream.time_base, pts)


def first_frame(path: Path) -> av.VideoFrame:
    with av.open(path) as container:
        return next(container.decode(video=0))


def run(*argv: str | Path) -> None:
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def rendition(codec: Codec, **fields: object) -> Rendition:
    values = {"name": codec.value, "codec": codec, "crf": 40, "effort": Effort.FAST}
    return Rendition.model_validate(values | fields)


EVERY_CODEC = [rendition(codec, height=90) for codec in Codec]


@dataclass(frozen=True)
class Encode:
    """Makes renditions of a clip, all in one process, and returns their files by name."""

    ffmpeg: str
    folder: Path

    def __call__(
        self,
        source: Path,
        *renditions: Rendition,
        into: str = "out",
        rotation: int = 0,
        sar: Fraction | None = None,
        **fields: object,
    ) -> dict[str, Path]:
        """`fields` are those of VideoWork."""
        seen = look(source)
        work = {
            "stream": seen.stream,
            "frame_rate": seen.rate,
            "timescale": timescale(seen.time_base),
            "outputs": [
                OutputWork(rendition=each, width=width, height=height)
                for each in renditions
                for width, height in [fit(seen.width, seen.height, sar, rotation, each.height)]
            ],
        }
        (self.folder / into).mkdir()
        paths = {each.name: self.folder / into / f"{each.name}.mp4" for each in renditions}
        argv = video_argv(
            self.ffmpeg,
            str(source),
            VideoWork.model_validate(work | fields),
            outputs={name: str(path) for name, path in paths.items()},
            cpus=2,
            gpu=None,
        )
        run(*argv)
        return paths
