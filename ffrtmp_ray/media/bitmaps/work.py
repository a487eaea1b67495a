"""What the process that draws subtitles is asked, and what it answers, as values."""

from __future__ import annotations

from fractions import Fraction

from pydantic import Field

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.encode.work import Box, Value


class DrawWork(Value):
    """A track of pictures that is to become a film of the same length as the picture."""

    address: str
    """Of the source."""
    stream: int = Field(ge=0)
    """Index of the track."""
    forced: bool = False
    """Only what is to be seen by all."""
    picture_start: Fraction
    """Of the picture's first frame, in seconds on the source's clock."""
    length: Fraction = Field(gt=0)
    """Seconds from then on for which there is a picture."""
    timescale: int = Field(gt=0)
    """Ticks a second of the film."""
    width: int = Field(gt=0)
    height: int = Field(gt=0)
    """Of the picture, as it is turned when shown."""
    aspect: Fraction = Field(gt=0)
    """Width of a pixel by its height, turned in the same way."""
    film: str
    """Path of the file to make."""
    answer: str
    """Path of the file that becomes a `Drawn`, as JSON."""


class Drawn(Value):
    box: Box | None = None
    """Where the film lies on the picture; None where nothing is shown, and no film is made."""
    unread: int = 0
    """Packets that could not be decoded."""
    failure: FailureKind | None = None
    reason: str = ""
    """Why there is no film, as a sentence."""
