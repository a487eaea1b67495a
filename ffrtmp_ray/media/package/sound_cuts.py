"""Where a sound is cut into segments: at its first samples from the picture's on. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction


def sound_cuts(
    begins: Sequence[int], end: int, planned: Sequence[Fraction], length: Fraction
) -> tuple[int, ...]:
    """The indices of the samples at which segments begin, rising, from 0 on.

    `begins` is when each sample is presented and `end` when the last one ends, `planned` when the
    picture's segments begin, and `length` how long they are meant to be, all in the sound's ticks.
    A sound that outlasts the picture goes on in segments of that length. A last segment of less
    than half of it is left to the one before it: players stumble over a few milliseconds.
    """
    times = list(planned)
    while times[-1] + length < end:
        times.append(times[-1] + length)
    places = dict.fromkeys(bisect_left(begins, time) for time in times[1:])
    cuts = [0, *(place for place in places if 0 < place < len(begins))]
    if len(cuts) > 1 and end - begins[cuts[-1]] < length / 2:
        cuts.pop()
    return tuple(cuts)
