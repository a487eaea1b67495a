"""When a screen of subtitles changes, by what its packets say. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Generic, TypeVar

from ffrtmp_ray.media.timing import nearest

_Image = TypeVar("_Image")


@dataclass(frozen=True, slots=True)
class Shown(Generic[_Image]):
    """What one packet has on the screen, in place of all before it."""

    start: Fraction
    """Seconds on the source's clock."""
    end: Fraction | None
    """None: until the next."""
    image: _Image | None
    """None: nothing."""


@dataclass(frozen=True, slots=True)
class Change(Generic[_Image]):
    tick: int
    image: _Image | None
    """That is seen from then on."""


def changes(
    shown: Iterable[Shown[_Image]], start: Fraction, length: Fraction, timescale: int
) -> list[Change[_Image]]:
    """What is seen on a picture that begins at `start` and lasts `length` seconds: the first change
    is at its first frame, in ticks of `timescale` from there, and each shows something else.

    Times are rounded like those of frames, so that what begins with a frame is seen on it.
    """
    end = nearest(length * timescale)
    found: list[Change[_Image]] = [Change(0, None)]
    for time, image in _moments(shown):
        tick = max(nearest((time - start) * timescale), 0)
        if tick >= end and tick > 0:
            break
        if found[-1].tick == tick:
            found.pop()
        if not found or found[-1].image != image:
            found.append(Change(tick, image))
    return found


def frames(found: Sequence[Change[_Image]], end: int, most: int) -> Iterator[Change[_Image]]:
    """The frames of a film that shows those changes until `end`, where it has a last one: none of
    them lasts more than `most` ticks."""
    for change, after in pairwise([*found, Change(end, found[-1].image)]):
        for tick in range(change.tick, after.tick, most):
            yield Change(tick, change.image)
    yield Change(end, found[-1].image)


def _moments(shown: Iterable[Shown[_Image]]) -> Iterator[tuple[Fraction, _Image | None]]:
    """What is shown from which time on. What ends before the next begins is followed by nothing."""
    last: Shown[_Image] | None = None
    for each in sorted(shown, key=lambda each: each.start):
        if last is not None and last.end is not None and last.end < each.start:
            yield last.end, None
        yield each.start, each.image
        last = each
    if last is not None and last.end is not None:
        yield last.end, None
