"""Clips to encode: made here, the same every time, or a file of one's own repeated to a length."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from ffrtmp_ray.media.probe.look import look

LOOP_SECONDS = 8
"""Of what is encoded of a source that is made here; the rest is that again."""


@dataclass(frozen=True)
class Make:
    """A kind of source: moving shapes with grain, and a tone."""

    width: int
    height: int
    rate: int
    encoder: tuple[str, ...]


@dataclass(frozen=True)
class Clip:
    path: Path
    codec: str
    width: int
    height: int
    rate: Fraction
    megabits: float
    """A second, of everything."""

    @property
    def described(self) -> str:
        size = f"{self.width}x{self.height}"
        return f"{self.codec} {size}, {float(self.rate):.0f} fps, {self.megabits:.1f} Mbit/s"


_X264 = ("libx264", "-preset", "veryfast", "-crf", "18", "-bf", "2", "-g", "50")
_X265 = ("libx265", "-preset", "ultrafast", "-x265-params", "log-level=0:keyint=50", "-crf", "20")
SOURCES: Mapping[str, Make] = {
    "1080p": Make(1920, 1080, 25, _X264),
    "2160p": Make(3840, 2160, 25, _X264),
    "2160p-hevc": Make(3840, 2160, 25, _X265),
}


def make_source(ffmpeg: str, path: Path, make: Make, seconds: int) -> None:
    """Write a source of that kind."""
    once = path.with_name("once.mp4")
    length = min(LOOP_SECONDS, seconds)
    picture = f"testsrc2=s={make.width}x{make.height}:r={make.rate}:d={length}"
    argv = [ffmpeg, "-nostdin", "-v", "error", "-f", "lavfi"]
    argv += ["-i", picture + ",noise=alls=2:allf=t:all_seed=1"]
    argv += ["-f", "lavfi", "-i", f"sine=f=440:d={length}", "-c:v", *make.encoder]
    argv += ["-pix_fmt", "yuv420p", "-c:a", "aac", str(once)]
    subprocess.run(argv, check=True)
    looped(ffmpeg, once, path, seconds)
    once.unlink()


def looped(ffmpeg: str, clip: Path, path: Path, seconds: int) -> None:
    """`clip` again and again, until it is so long: its packets, nothing is encoded."""
    argv = [ffmpeg, "-nostdin", "-v", "error", "-stream_loop", "-1", "-i", str(clip)]
    argv += ["-map", "0:v:0", "-map", "0:a:0", "-c", "copy", "-t", str(seconds), str(path)]
    subprocess.run(argv, check=True)


def look_at(path: Path) -> Clip:
    found = look(str(path))
    return Clip(
        path=path,
        codec=found.video.codec,
        width=found.video.width,
        height=found.video.height,
        rate=found.video.average_rate or Fraction(25),
        megabits=float(found.bytes * 8 / found.duration) / 1e6,
    )
