"""The one time base of a job's outputs, and how times are rounded to it. Pure."""

from __future__ import annotations

import math
from fractions import Fraction

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


def nearest(ticks: Fraction) -> int:
    """The nearest whole tick; halves go away from zero, as in libavutil's `av_rescale_q`."""
    whole = math.floor(abs(ticks) + Fraction(1, 2))
    return whole if ticks >= 0 else -whole
