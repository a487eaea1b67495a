"""The leaky bucket that bounds a bitrate, in whole files and across the chunks of a job. Pure.

A decoder's buffer of `size` bits is filled at `rate`, and each picture takes out its own bits; it
must never run empty (ITU-T H.264, annex C). Turned around: what pictures put in leaks out at
`rate`, and must never rise above `size`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

BUFFER_SECONDS = 2
"""Of `max_bitrate`, in which a buffer is filled."""
_START = Fraction(1, 2)
"""Part of its buffer that the encoder of a chunk may spend at once."""
_GIVEN_UP = Fraction(1, 4)
"""Part of the bitrate by which the encoder of a chunk is held lower, at most: where chunks are very
short, they may spend less at once."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What an encoder is told."""

    rate: int
    """Bits per second."""
    size: int
    """Bits."""
    start: int | None = None
    """Bits that are in the decoder's buffer at the first picture; None as the encoder likes."""


def bucket_for(max_bitrate: int, shortest: Fraction | None = None) -> Bucket:
    """How to encode so that the output keeps `max_bitrate`, in bits per second.

    `shortest` is the length in seconds of the shortest of the job's chunks, all of which get the
    same bucket; None is a whole file.

    The encoder of a chunk knows nothing of its neighbours. With a buffer b, of which it may spend
    the part a at once, and at a rate r, it makes at most b + r·t bits in any t seconds, and at
    most a·b + r·t in the first t. An interval that reaches over borders has the end of a chunk, k
    whole chunks of at least L seconds and the beginning of one: in all at most
    b + (k + 1)·a·b + r·t, which is at most B + R·t for all k when b = B/(1 + a) and r ≤ R - a·b/L.

    Here r is R - a·B/L, somewhat lower: SVT-AV1 treats both as goals, and needs the distance.
    """
    size = max_bitrate * BUFFER_SECONDS
    if shortest is None:
        return Bucket(max_bitrate, size)
    part = min(_START, _GIVEN_UP * shortest / BUFFER_SECONDS)
    rate = max_bitrate - part * size / shortest
    smaller = size / (1 + part)
    return Bucket(math.floor(rate), math.floor(smaller), math.floor(part * smaller))


def highest(pictures: Iterable[tuple[Fraction, int]], rate: int) -> Fraction:
    """Bits to which the bucket of a stream rises, of which `pictures` has the decoding times in
    seconds, rising, and the sizes in bits: the smallest buffer that never runs empty at `rate`."""
    level = peak = Fraction(0)
    last: Fraction | None = None
    for time, bits in pictures:
        if last is not None:
            level = max(Fraction(0), level - rate * (time - last))
        last = time
        level += bits
        peak = max(peak, level)
    return peak


def densest(pictures: Iterable[tuple[int, int]], tick: Fraction) -> int:
    """Bits per second in the fullest `BUFFER_SECONDS` of a stream, rounded up.

    `pictures` has decoding times, rising, in ticks of so many seconds, and sizes in bits. A stream
    that is at or below some rate by this measure keeps that rate's bucket, too.
    """
    span = math.ceil(BUFFER_SECONDS / tick)
    window: deque[tuple[int, int]] = deque()
    held = most = 0
    for time, bits in pictures:
        window.append((time, bits))
        held += bits
        while window[0][0] <= time - span:
            held -= window.popleft()[1]
        most = max(most, held)
    return -(-most // BUFFER_SECONDS)
