"""What output files say of themselves, as users ask for it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from ffrtmp_ray.media.spec.base import SpecModel


class Tag(StrEnum):
    """Those that are kept and can be set, by ffmpeg's names. Where and with what a film was shot,
    and by whom it was encoded, is nobody's business."""

    TITLE = "title"
    ARTIST = "artist"
    ALBUM = "album"
    ALBUM_ARTIST = "album_artist"
    COMPOSER = "composer"
    GENRE = "genre"
    DATE = "date"
    TRACK = "track"
    COMMENT = "comment"
    DESCRIPTION = "description"
    SYNOPSIS = "synopsis"
    COPYRIGHT = "copyright"
    SHOW = "show"
    SEASON = "season_number"
    EPISODE = "episode_id"
    NETWORK = "network"


LONGEST_VALUE = 2000
"""Characters."""

Value = Annotated[str, Field(max_length=LONGEST_VALUE, pattern=r"^[^\x00-\x09\x0b-\x1f\x7f]*$")]
"""Text without control characters other than the end of a line."""


class Metadata(SpecModel):
    """Of files; packages for streaming have none."""

    keep: bool = Field(default=True, description="Keep the source's tags: title, artist, date …")
    chapters: bool = Field(default=True, description="Keep the source's chapters.")
    set: dict[Tag, Value | None] = Field(
        default_factory=dict, description="Tags to say anew; null removes one."
    )
