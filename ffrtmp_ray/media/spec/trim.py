"""The part of a source that a job takes, as users ask for it."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from ffrtmp_ray.media.spec.base import Seconds, SpecModel


class Trim(SpecModel):
    """Frames that are shown from `start` on, and before `start + duration`."""

    start: Seconds = Field(
        default=0, description="From the picture's first frame: seconds, or text as 1:02:03.5."
    )
    duration: Seconds | None = Field(
        default=None, description="Seconds, or text as 1:02:03.5. By default to the end."
    )

    @model_validator(mode="after")
    def _takes_something(self) -> Self:
        if self.duration == 0:
            raise ValueError("`duration` should be more than 0")
        return self
