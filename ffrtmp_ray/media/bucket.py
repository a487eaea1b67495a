"""The leaky bucket that bounds a bitrate, in whole files and across the chunks of a job. Pure.

A decoder's buffer of `size` bits is filled at `rate`, and each picture takes out its own bits; it
must never run empty (ITU-T H.264, annex C). Turned around: what pictures put in leaks out at
`rate`, and must never rise above `size`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeVar

BUFFER_SECONDS = 2
"""Of `max_bitrate`, in which a buffer is filled."""
_START = Fraction(1, 2)
"""Part of its buffer that the encoder of a chunk may spend at once."""
_GIVEN_UP = Fraction(1, 4)
"""Part of the bitrate by which the encoder of a chunk is held lower, at most: where chunks are very
short, they may spend less at once."""
_SHARE_STEP = 0.001

_Number = TypeVar("_Number", Fraction, float)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What an encoder is told."""

    rate: int
    """Bits per second."""
    size: int
    """Bits."""
    start: int | None = None
    """Bits that are in the decoder's buffer at the first picture; None as the encoder likes."""


def bound_for(max_bitrate: int, shortest: Fraction | None = None) -> Bucket:
    """What each chunk must keep so that the output keeps `max_bitrate`, in bits per second,
    whatever its other chunks make of theirs.

    `shortest` is the length in seconds of the shortest of the job's chunks, all of which get the
    same bucket; None is a whole file.

    The encoder of a chunk knows nothing of its neighbours. With a buffer b, of which it may spend
    the part a at once, and at a rate r, it makes at most b + r·t bits in any t seconds, and at
    most a·b + r·t in the first t. An interval that reaches over borders has the end of a chunk, k
    whole chunks of at least L seconds and the beginning of one: in all at most
    b + (k + 1)·a·b + r·t, which is at most B + R·t for all k when b = B/(1 + a) and r ≤ R - a·b/L.
    """
    size = max_bitrate * BUFFER_SECONDS
    if shortest is None:
        return Bucket(max_bitrate, size)
    part = _part(shortest)
    smaller = size / (1 + part)
    rate = max_bitrate - part * smaller / shortest
    return Bucket(math.floor(rate), math.floor(smaller), math.floor(part * smaller))


def bucket_for(max_bitrate: int, shortest: Fraction | None = None) -> Bucket:
    """How to encode, so that this is kept: `bound_for`, with the somewhat lower rate R - a·B/L,
    since SVT-AV1 and libvpx treat all of it as goals, and need the distance."""
    bound = bound_for(max_bitrate, shortest)
    if shortest is None:
        return bound
    lower = max_bitrate - _part(shortest) * max_bitrate * BUFFER_SECONDS / shortest
    return replace(bound, rate=math.floor(lower))


def _part(shortest: Fraction) -> Fraction:
    return min(_START, _GIVEN_UP * shortest / BUFFER_SECONDS)


def surely_kept(bound: Bucket, peak: int) -> bool:
    """Whether a stream keeps `bound` by `densest` alone, which has come to `peak`: that many bits
    per second make at most 2·peak + peak·t in any t seconds."""
    at_once = bound.size if bound.start is None else bound.start
    return BUFFER_SECONDS * peak <= at_once and peak <= bound.rate


def share_kept(pictures: Sequence[tuple[Fraction, int]], bound: Bucket) -> float:
    """Which part of its bits each picture could have and the stream keep `bound`, to a thousandth;
    1 where it does. `pictures` as of `highest`."""
    begun = 0 if bound.start is None else bound.size - bound.start
    if highest(pictures, bound.rate, begun) <= bound.size:
        return 1.0
    times = [float(time) for time, _ in pictures]
    sizes = [float(bits) for _, bits in pictures]
    most, least = 1.0, 0.0
    while most - least > _SHARE_STEP:
        middle = (most + least) / 2
        scaled = zip(times, (bits * middle for bits in sizes), strict=True)
        if _risen(scaled, float(bound.rate), float(begun)) <= bound.size:
            least = middle
        else:
            most = middle
    return least


def highest(pictures: Iterable[tuple[Fraction, int]], rate: int, begun: int = 0) -> Fraction:
    """Bits to which the bucket of a stream rises, of which `pictures` has the decoding times in
    seconds, rising, and the sizes in bits: the smallest buffer that never runs empty at `rate`.
    `begun` bits are in it before the first picture."""
    exact = ((time, Fraction(bits)) for time, bits in pictures)
    return _risen(exact, Fraction(rate), Fraction(begun))


def _risen(pictures: Iterable[tuple[_Number, _Number]], rate: _Number, begun: _Number) -> _Number:
    level = peak = begun
    empty, last = begun - begun, None
    for time, bits in pictures:
        if last is not None:
            level = max(empty, level - rate * (time - last))
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
