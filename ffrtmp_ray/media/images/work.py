"""What images are to be made, as values that travel in a payload. Nothing is decided here."""

from __future__ import annotations

from fractions import Fraction

from ffrtmp_ray.media.encode.work import Value, VideoWork
from ffrtmp_ray.media.spec.images import ImageFormat


class PosterWork(Value):
    video: VideoWork
    """Whose chunk is the one frame."""
    automatic: bool
    """That frame is taken only when no better one is found."""
    width: int
    height: int


class SeriesWork(Value):
    """Images of what is shown at 0, `every`, 2 · `every` …"""

    every: Fraction
    """Seconds."""
    number: int
    width: int
    height: int


class SpriteWork(SeriesWork):
    columns: int
    rows: int

    @property
    def sheets(self) -> int:
        return -(-self.number // (self.columns * self.rows))


class ImagesWork(Value):
    video: VideoWork
    """How the picture is read; its outputs are not made."""
    length: Fraction
    """Seconds."""
    format: ImageFormat
    keyframes: bool
    """Keyframes are close enough to each other that no other frame need be decoded."""
    poster: PosterWork | None = None
    thumbnails: SeriesWork | None = None
    sprite: SpriteWork | None = None
