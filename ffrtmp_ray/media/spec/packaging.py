"""How a ladder's renditions are packaged for streaming. Data, as a user asks for it."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import Self

from pydantic import Field, model_validator

from ffrtmp_ray.media.spec.base import SpecModel


class HlsSegments(StrEnum):
    """What the segments of an HLS presentation are."""

    FMP4 = "fmp4"
    """Fragmented MP4 (CMAF), as DASH has it, too."""
    TS = "ts"
    """MPEG-2 transport streams, for old players: H.264 and AAC only."""
    NONE = "none"
    """No HLS: for DASH alone."""


class Packaging(SpecModel):
    """Segments and manifests for streaming, in place of files."""

    hls: HlsSegments = HlsSegments.FMP4
    dash: bool = False
    """An MPEG-DASH manifest of the same segments."""
    segment_seconds: float = Field(default=4, ge=1, le=30)
    """Of a segment; each begins at the first frame at or after a multiple of it."""

    @property
    def segment(self) -> Fraction:
        """Its seconds, as exactly as they were written."""
        return Fraction(str(self.segment_seconds))

    @model_validator(mode="after")
    def _is_something_that_can_be_made(self) -> Self:
        if self.hls is HlsSegments.NONE and not self.dash:
            raise ValueError(
                "set `dash`, or `hls` to fmp4 or ts: a packaged ladder has one or both"
            )
        if self.hls is HlsSegments.TS and self.dash:
            raise ValueError("DASH has no transport streams here: set `hls` to fmp4 to have both")
        return self
