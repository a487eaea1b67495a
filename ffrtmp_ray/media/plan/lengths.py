"""How many chunks a timeline of some length should have, and how long each. Pure numbers.

Knows no source; `cuts` puts the cuts on frames.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of media."""

    shortest: Fraction
    longest: Fraction


LAST_PART = Fraction(3, 10)
"""Of the mean length of tapering chunks, the length of the last one. Where encodes take 20 % more
or less than they should, 8 slots that get 32 chunks are busy for 0.96 of the time so, and for 0.89
when all are equal."""


def equal_lengths(length: Fraction, number: int) -> tuple[Fraction, ...]:
    return (length / number,) * number


def tapering_lengths(length: Fraction, number: int, slots: int) -> tuple[Fraction, ...]:
    """So many lengths. Where each of `slots` encodes gets several, they fall in equal steps to
    `LAST_PART` of their mean, so that all slots end at about the same time ("trapezoid
    self-scheduling": Tzen and Ni, IEEE Trans. Parallel Distrib. Syst. 4 (1), 1993)."""
    if slots < 2 or number < 2 * slots:
        return equal_lengths(length, number)
    mean, first = length / number, 2 - LAST_PART
    step = (first - LAST_PART) / (number - 1)
    return tuple(mean * (first - step * place) for place in range(number))


def lengths_for(length: Fraction, slots: int, limits: Limits) -> tuple[Fraction, ...]:
    """Lengths that keep `slots` encodes busy to the end, each within `limits` where that can be.

    Half of what is left is given out at a time, in equal parts, one for each slot, so that the
    last ones are short and nobody waits long for a straggler ("factoring": Hummel, Schonberg and
    Flynn, CACM 35 (8), 1992). One slot has nothing to balance: its chunks are as long as may be.
    """
    if slots < 2:
        return equal_lengths(length, max(1, math.ceil(length / limits.longest)))
    lengths: list[Fraction] = []
    left = length
    while left >= 2 * slots * limits.shortest:
        part = min(left / (2 * slots), limits.longest)
        lengths += [part] * slots
        left -= part * slots
    number = max(1, min(slots, left // limits.shortest), math.ceil(left / limits.longest))
    return (*lengths, *equal_lengths(left, number))
