"""The sounds and subtitles of a job's outputs, as a user asks for them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, WithJsonSchema, field_validator, model_validator

from ffrtmp_ray.media.spec.base import SpecModel, matches
from ffrtmp_ray.media.spec.rendition import Copying

_THREE_LETTERS = "[a-z]{3}"
Language = Annotated[
    str,
    AfterValidator(matches(_THREE_LETTERS, "a language has three letters, as eng or deu")),
    WithJsonSchema({"type": "string", "pattern": f"^{_THREE_LETTERS}$"}),
]
"""As ISO 639-2 has it: `eng`, and `und` for what names none."""
Languages = Annotated[tuple[Language, ...], Field(min_length=1, max_length=32)]
"""The first is the one that players choose."""


class AudioCodec(StrEnum):
    AAC = "aac"
    OPUS = "opus"
    MP3 = "mp3"
    FLAC = "flac"
    PCM = "pcm"
    """No compression, as WAV has it."""


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
    """The sounds of every rendition, each encoded, or copied, once for the whole file."""

    codec: AudioCodec = AudioCodec.AAC
    bitrate: int = Field(default=128_000, ge=8_000, le=1_024_000)
    """Bits per second; of no meaning for what is lossless, flac and pcm."""
    channels: int | None = Field(default=None, ge=1, le=8)
    """Of each sound; None keeps the layout of each."""
    tracks: Tracks | Languages = Tracks.FIRST
    """The source's first sound, all, or those in some languages."""
    loudness: Loudness | None = None
    """Makes each sound as loud as that; None leaves it as it is."""
    copying: Copying = Copying.NEVER
    """Whether the source's packets may be a sound as they are. `always`: in the source's codec and
    at whatever bitrate; refused where the container cannot hold it. `allowed`: where it is of that
    codec, has those channels and is not over that bitrate, and nothing is to be done to it."""

    @field_validator("codec", mode="before")
    @classmethod
    def _copy_is_no_codec(cls, value: Any) -> Any:
        if value == "copy":
            raise ValueError("set `copying` to always, which takes the source's sound as it is")
        return value

    @model_validator(mode="after")
    def _what_is_copied_is_not_changed(self) -> Self:
        if self.copying is Copying.ALWAYS and (self.channels or self.loudness):
            raise ValueError(
                "what is always copied is not changed: leave out `channels` and `loudness`, or set "
                "`copying` to allowed"
            )
        return self


class Subtitles(SpecModel):
    """Subtitles lie in every file, in the form that its container has."""

    tracks: Tracks | Languages = Tracks.ALL
    """The source's first, all, or those in some languages."""
    webvtt: bool = False
    """Those that are text also lie beside the files, as `subtitles.eng.vtt`, which makes `output` a
    folder. Packages have them as WebVTT in any case."""
