"""A set of renditions with their sound and subtitles, as a user asks for it."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from ffrtmp_ray.media.spec.base import SpecModel
from ffrtmp_ray.media.spec.packaging import Packaging
from ffrtmp_ray.media.spec.rendition import Rendition
from ffrtmp_ray.media.spec.tracks import Audio, Subtitles


class Container(StrEnum):
    MP4 = "mp4"
    MKV = "mkv"
    WEBM = "webm"
    M4A = "m4a"
    MKA = "mka"
    OPUS = "opus"
    OGG = "ogg"
    MP3 = "mp3"
    FLAC = "flac"
    WAV = "wav"


class Ladder(SpecModel):
    """A set of renditions made from one decode. Several make `output` a folder."""

    renditions: tuple[Rendition, ...] = Field(max_length=16)
    """None makes a file of the sound alone."""
    audio: Audio | None = Audio()
    """None leaves the sound out."""
    subtitles: Subtitles | None = None
    """None leaves them out."""
    container: Container | None = None
    """Of every file in a folder (default mp4); a single file's name says its own."""
    packaging: Packaging | None = None
    """HLS or DASH or both, which make `output` a folder; None makes files."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [rendition.name for rendition in self.renditions]
        if len(set(names)) != len(names):
            raise ValueError("two renditions have the same name: each names a file")
        return self

    @model_validator(mode="after")
    def _makes_something(self) -> Self:
        if not self.renditions and (self.audio is None or self.packaging is not None):
            raise ValueError("give renditions; without any, give `audio` and no `packaging`")
        return self

    @model_validator(mode="after")
    def _packages_have_their_own_container(self) -> Self:
        if self.packaging is not None and self.container is not None:
            raise ValueError("give either `container` (of files) or `packaging`, one of the two")
        return self


def rendition_field(number: int, name: str) -> str:
    """How a field of a ladder's rendition is named in errors; counted from 0."""
    return f"ladder.renditions[{number}].{name}"
