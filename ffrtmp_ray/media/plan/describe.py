"""What output files are to say of themselves. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

from ffrtmp_ray.media.plan.payloads import Described
from ffrtmp_ray.media.probe.source import Chapter
from ffrtmp_ray.media.spec.metadata import Metadata


def described(
    asked: Metadata,
    tags: Mapping[str, str],
    chapters: Sequence[Chapter],
    start: Fraction,
    length: Fraction | None,
) -> Described:
    """`start` and `length` are of the part of the source that is taken, in seconds; None is all of
    the rest."""
    said = dict(tags) if asked.keep else {}
    for tag, value in asked.set.items():
        said.pop(tag.value, None)
        if value:
            said[tag.value] = value
    kept = tuple(_within(chapters, start, length)) if asked.chapters else ()
    return Described(tags=said, chapters=kept)


def _within(
    chapters: Sequence[Chapter], start: Fraction, length: Fraction | None
) -> Iterator[Chapter]:
    """By the clock of the output, which begins with the part."""
    for chapter in chapters:
        begin = max(chapter.start - start, Fraction(0))
        end = chapter.end - start if length is None else min(chapter.end - start, length)
        if begin < end:
            yield Chapter(start=begin, end=end, title=chapter.title)
