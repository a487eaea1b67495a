"""The sounds and subtitles of a job's outputs, as a user asks for them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ffrtmp_ray.media.spec.base import SpecModel

Language = Annotated[str, Field(pattern=r"^[a-z]{3}$")]
"""As ISO 639-2 has it: `eng`, and `und` for what names none."""
Languages = Annotated[tuple[Language, ...], Field(min_length=1, max_length=32)]
"""The first is the one that players choose."""


class AudioCodec(StrEnum):
    AAC = "aac"
    OPUS = "opus"


class Tracks(StrEnum):
    """Which of a source's sounds or subtitles are taken, where no languages are named."""

    FIRST = "first"
    ALL = "all"


class Loudness(SpecModel):
    """How loud a sound is made, by EBU R128 (ITU-R BS.1770).

    The defaults are those of R128, for television; streaming services play at -14 to -16 LUFS.
    """

    target: float = Field(default=-23, ge=-70, le=-5)
    """LUFS, over the whole sound."""
    true_peak: float = Field(default=-1, ge=-9, le=0)
    """dBTP that the encoder is given at most."""


class Audio(SpecModel):
    """The sounds of every rendition, each encoded once for the whole file."""

    codec: AudioCodec = AudioCodec.AAC
    bitrate: int = Field(default=128_000, ge=8_000, le=1_024_000)
    """Bits per second."""
    channels: int | None = Field(default=None, ge=1, le=8)
    """Of each sound; None keeps the layout of each."""
    tracks: Tracks | Languages = Tracks.FIRST
    """The source's first sound, all, or those in some languages."""
    loudness: Loudness | None = None
    """Makes each sound as loud as that; None leaves it as it is."""


class Subtitles(SpecModel):
    """Subtitles that are text lie in every file, in the form that its container has."""

    tracks: Tracks | Languages = Tracks.ALL
    """The source's first, all, or those in some languages."""
