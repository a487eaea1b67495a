"""Subtitles that become part of the picture, as users ask for them."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from ffrtmp_ray.media.spec.base import SpecModel
from ffrtmp_ray.media.spec.tracks import Language

STYLED_SUFFIXES = (".ass", ".ssa")
SUFFIXES = (".srt", ".vtt", *STYLED_SUFFIXES)
"""Of files of subtitles, by which they are read."""
BITMAP_SUFFIXES = (".sup", ".idx", ".sub")
"""PGS, and the two files of VobSub."""


class Burn(SpecModel):
    """One track of the source, or a file beside it; by default the source's first text, and of one
    that has none the first bitmaps."""

    track: int | None = Field(
        default=None, ge=1, le=1000, description="Of the source's subtitles, by number; 1 is first."
    )
    language: Language | None = Field(
        default=None,
        description="The source's first text in that language, as eng; else its first bitmaps.",
    )
    file: str | None = Field(
        default=None,
        min_length=1,
        max_length=4096,
        description="Absolute path of a .srt, .vtt, .ass or .ssa file below the folders for "
        "inputs, 10 MB at most; its times count from the source's first frame.",
    )

    styles: bool = Field(
        default=True,
        description="Draw ASS and SSA as they say; false draws all text alike. HDR has all text "
        "alike in any case.",
    )

    forced: bool = Field(
        default=False,
        description="Of bitmaps (PGS, DVD), those cues alone that are marked as forced.",
    )

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        given = [each for each in (self.track, self.language, self.file) if each is not None]
        if len(given) > 1:
            raise ValueError("give `track`, `language` or `file`, one of them")
        if self.file is not None and self.forced:
            raise ValueError(
                "`forced` is of the source's bitmaps: leave it out, or leave out `file`"
            )
        if self.file is not None and self.file.lower().endswith(BITMAP_SUFFIXES):
            raise ValueError(
                "files of bitmaps are not read: put them in an .mkv with the picture, as "
                "`ffmpeg -i film.mp4 -i film.idx -map 0 -map 1 -c copy film.mkv`"
            )
        if self.file is not None and not self.file.lower().endswith(SUFFIXES):
            raise ValueError(f"`file` should end with {', '.join(SUFFIXES)}")
        return self
