"""Frame rates as the fractions that they stand for, and the grid on which frames of a rendition of
its own rate lie. Pure.

Frame number n of such a rendition is shown n frame durations after the picture's first one. It is
the last frame of the source whose time, by the nearest number, is n or less, as ffmpeg's `fps` has
it; so which one that is does not depend on where the source is cut.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from ffrtmp_ray.media.timing import nearest

_NTSC = Fraction(1000, 1001)


def frame_rate(fps: float) -> Fraction:
    """The rate that `fps` is a short way of writing: 29.97 stands for 30000/1001.

    NTSC's rates (SMPTE ST 12-1) are a whole number times 1000/1001; they are usually written with
    two or three decimals.
    """
    whole = round(fps)
    if whole and abs(fps - whole) < 1e-6:
        return Fraction(whole)
    nominal = round(fps / _NTSC)
    if nominal and abs(fps - nominal * _NTSC) < 0.006:
        return nominal * _NTSC
    return Fraction(fps).limit_denominator(1001)


@dataclass(frozen=True, slots=True)
class RatedSpan:
    """The frames that a chunk has in a rendition of its own rate: those that are shown from its
    first frame on, and before the next chunk's."""

    first: int
    """Number of the first one."""
    end: int | None
    """Number of the next chunk's first one; None where no chunk follows."""
    offset: int
    """From the picture's first frame to the first of these, in ticks of the outputs."""


def rated_span(rate: Fraction, timescale: int, offset: int, length: int | None) -> RatedSpan:
    """Of a chunk that begins at `offset` and is `length` ticks long; None is the last one."""
    first = first_from(rate, timescale, offset)
    end = None if length is None else first_from(rate, timescale, offset + length)
    return RatedSpan(first, end, nearest(first * timescale / rate))


def first_from(rate: Fraction, timescale: int, tick: int) -> int:
    """The number of the first frame whose time, rounded to ticks, is `tick` or later."""
    return max(math.ceil((tick - Fraction(1, 2)) * rate / timescale), 0)


def shown_from(rate: Fraction, timescale: int, tick: int) -> int:
    """The number of the first frame that may show what the source has at `tick`."""
    return nearest(tick * rate / timescale)
