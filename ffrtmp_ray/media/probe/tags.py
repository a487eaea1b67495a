"""What a file says of itself: tags and chapters. Runs in the child process."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction

from av.container import InputContainer

from ffrtmp_ray.media.probe.source import Chapter
from ffrtmp_ray.media.spec.metadata import LONGEST_VALUE, Tag

MOST_CHAPTERS = 1000
"""Of a file that has more, the first."""
_UNREADABLE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ufffe\uffff]")
"""Control characters other than the end of a line, and what else XML cannot have (XML 1.0, 2.2)."""


def tags_of(container: InputContainer) -> dict[str, str]:
    """Those that may be kept, cleaned."""
    return clean(container.metadata)


def clean(found: Mapping[str, str]) -> dict[str, str]:
    """Known tags alone, by ffmpeg's names; values without control characters, and not endless."""
    known = {tag.value for tag in Tag}
    lower = ((name.lower(), readable(value)) for name, value in found.items())
    return {name: value for name, value in lower if name in known and value}


def chapters_of(container: InputContainer) -> tuple[Chapter, ...]:
    """In their order; those that last no time are left out."""
    chapters: Iterable[Chapter] = (
        Chapter(
            start=each["start"] * Fraction(each["time_base"]),
            end=each["end"] * Fraction(each["time_base"]),
            title=readable(each["metadata"].get("title", "")),
        )
        for each in container.chapters()[:MOST_CHAPTERS]
        if each["time_base"] is not None
    )
    return tuple(chapter for chapter in chapters if chapter.start < chapter.end)


def readable(value: str, longest: int = LONGEST_VALUE) -> str:
    """What a source says, as it may go into command lines and manifests: `longest` characters at
    most, none of which ends or breaks these."""
    return _UNREADABLE.sub("", value)[:longest]
