"""The one time base of a job's outputs, and times in it. Pure."""

from __future__ import annotations

from fractions import Fraction
from math import floor

_FINEST = 1_000_000
"""Ticks a second: finer time bases overflow the 32 bits of an MP4 timescale's durations early."""
_COARSEST = 10_000
"""Ticks a second below which libavformat's MP4 muxer multiplies by itself (movenc.c)."""
_OTHERWISE = 90_000
"""MPEG's own clock."""


def timescale(source: Fraction) -> int:
    """Ticks a second for outputs of a source with that time base: every time of the source is a
    whole tick where that is possible, else within half a tick of one."""
    if source.numerator != 1 or source.denominator > _FINEST:
        return _OTHERWISE
    ticks = source.denominator
    while ticks < _COARSEST:
        ticks *= 2
    return ticks


def to_ticks(seconds: Fraction, ticks_per_second: int) -> int:
    """The nearest tick; halves go up, as in av_rescale_q."""
    return floor(seconds * ticks_per_second + Fraction(1, 2))
