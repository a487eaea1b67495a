"""An image that is laid over the picture, as users ask for it."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from ffrtmp_ray.media.spec.base import Seconds, SpecModel


class Position(StrEnum):
    TOP_LEFT = "top-left"
    TOP_RIGHT = "top-right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM_RIGHT = "bottom-right"
    CENTER = "center"


class Watermark(SpecModel):
    """The same in all renditions: its size and place go by the picture's."""

    image: str = Field(
        min_length=1,
        max_length=4096,
        description="Absolute path of a PNG, JPEG or WebP below the folders for inputs, 10 MB at "
        "most. What is transparent in it stays so.",
    )
    position: Position = Position.BOTTOM_RIGHT
    margin: float = Field(default=0.03, ge=0, le=0.4)
    """To the edges, as a part of the picture's height."""
    scale: float = Field(default=0.15, ge=0.01, le=1)
    """Its width as a part of the picture's."""
    opacity: float = Field(default=1, gt=0, le=1)
    start: Seconds | None = Field(
        default=None, description="It is shown from then on; from the output's first frame."
    )
    end: Seconds | None = Field(default=None, description="And no longer from then on.")

    @model_validator(mode="after")
    def _is_shown(self) -> Self:
        if self.end is not None and self.end <= (self.start or 0):
            raise ValueError("`end` should be later than `start`")
        return self
