"""One encoded version of the picture, as a user asks for it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from ffrtmp_ray.media.spec.base import SpecModel, matches

_NAME = "[a-z0-9][a-z0-9_-]{0,62}"
Name = Annotated[
    str,
    AfterValidator(matches(_NAME, "a name has small letters, digits, _ and -, 63 at most")),
    WithJsonSchema({"type": "string", "pattern": f"^{_NAME}$"}),
]
"""Of presets and renditions: becomes a file name."""


class Codec(StrEnum):
    H264 = "h264"
    HEVC = "hevc"
    AV1 = "av1"
    VP9 = "vp9"


class Effort(StrEnum):
    """How much time an encoder spends for a smaller file; each maps to its own presets."""

    FAST = "fast"
    BALANCED = "balanced"
    THOROUGH = "thorough"


class DynamicRange(StrEnum):
    KEEP = "keep"
    """HDR stays HDR, which takes hevc, av1 or vp9."""
    SDR = "sdr"
    """HDR is tone-mapped to BT.709; a source that is SDR stays as it is."""


class Copying(StrEnum):
    """Whether the source's packets may be a rendition as they are: the same codec, size and pixels,
    no other frame rate, nothing cut away, and keyframes where segments begin."""

    ALWAYS = "always"
    """They are, in the source's codec and at whatever bitrate; the job is refused where they cannot
    be."""
    ALLOWED = "allowed"
    """They are where they can be and no two seconds exceed the rendition's `max_bitrate`."""
    NEVER = "never"


class Rendition(SpecModel):
    """One encoded version of the picture."""

    name: Name
    codec: Codec
    height: int | None = Field(default=None, ge=2, le=8640, multiple_of=2)
    """Pixels; the width follows from the picture's shape. None keeps the source's size, rounded
    down to even numbers. A source that is smaller is never enlarged."""
    crf: float | None = Field(default=None, ge=0, le=63)
    """Constant rate factor, on the codec's own scale: 0 to 51 for x264 and x265, to 63 for SVT-AV1
    and VP9."""
    target_vmaf: float | None = Field(default=None, ge=20, le=99)
    """In place of a crf: the one that makes this VMAF of the title is found by encoding samples."""
    max_bitrate: int | None = Field(default=None, ge=10_000, le=1_000_000_000)
    """Bits per second that a line must carry to play it with two seconds of them buffered: the
    leaky bucket of ITU-T H.264, annex C."""
    fps: float | None = Field(default=None, gt=0, le=240)
    """Frames a second; None keeps every frame at its time."""
    effort: Effort = Effort.BALANCED
    dynamic_range: DynamicRange = DynamicRange.KEEP
    copying: Copying = Copying.NEVER

    @model_validator(mode="after")
    def _crf_or_target(self) -> Self:
        if (self.crf is None) == (self.target_vmaf is None):
            raise ValueError("give either `crf` or `target_vmaf`, one of the two")
        return self
