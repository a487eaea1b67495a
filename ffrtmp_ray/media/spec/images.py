"""The still images that a job makes beside its renditions, as users ask for them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from ffrtmp_ray.media.spec.base import Seconds, SpecModel


class ImageFormat(StrEnum):
    JPEG = "jpeg"
    WEBP = "webp"
    PNG = "png"


Every = Annotated[Seconds, Field(ge=0.1)]
_EVERY = "Seconds from one to the next, or text as 1:30."


class Poster(SpecModel):
    """One image of the whole, `poster`."""

    time: Seconds | None = Field(
        default=None,
        description="From the first frame: seconds, or text as 1:02:03.5. By default a frame of "
        "the first two minutes is chosen that is typical and not black.",
    )
    height: int = Field(default=720, ge=2, le=4320, multiple_of=2)
    """Pixels; like a rendition it is never enlarged."""


class Thumbnails(SpecModel):
    """An image of what is shown every so many seconds: `thumbnail-00000` …"""

    every: Every = Field(default=10, description=_EVERY)
    height: int = Field(default=180, ge=2, le=2160, multiple_of=2)


class Sprite(SpecModel):
    """Sheets of small images, `sprite-000` …, and `sprite.vtt` that says which is when."""

    every: Every = Field(default=10, description=_EVERY)
    height: int = Field(default=90, ge=2, le=360, multiple_of=2)
    """Of one of the images."""
    columns: int = Field(default=10, ge=1, le=20)
    rows: int = Field(default=10, ge=1, le=20)


class Images(SpecModel):
    """They lie in the output folder, so that `output` names a folder."""

    format: ImageFormat = ImageFormat.JPEG
    poster: Poster | None = None
    thumbnails: Thumbnails | None = None
    sprite: Sprite | None = None

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.poster is None and self.thumbnails is None and self.sprite is None:
            raise ValueError("give at least one of `poster`, `thumbnails` and `sprite`")
        return self
