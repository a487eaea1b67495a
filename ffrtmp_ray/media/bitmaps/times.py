"""When decoded subtitles are shown, and which packets a part of a track needs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import av
from av.subtitles.subtitle import SubtitleSet

_ENDLESS = 2**32 - 1
"""Milliseconds by which decoders say that it is shown until the next."""


@dataclass(frozen=True, slots=True)
class Cue:
    """One decoded packet."""

    packet: Fraction
    """When it is due, in seconds."""
    begins: bool
    """Nothing before it is needed to decode it."""
    shows: bool
    end: Fraction | None
    """Of what it shows; None: until the next."""


def times_of(shown: SubtitleSet, time_base: Fraction) -> tuple[Fraction, Fraction | None]:
    """From when to when, in seconds; None: until the next. Decoders give times in microseconds that
    were ticks of the stream's `time_base`."""
    time = round(Fraction(shown.pts, av.time_base) / time_base) * time_base
    begin, end = shown.start_display_time, shown.end_display_time
    endless = end == _ENDLESS or end <= begin
    return time + Fraction(begin, 1000), None if endless else time + Fraction(end, 1000)


def first_needed(cues: Iterable[Cue], start: Fraction) -> Fraction | None:
    """When the first packet is due without which what is on at `start` would not be seen; None
    where nothing is on that began before."""
    first: Fraction | None = None
    last: Cue | None = None
    for cue in cues:
        if cue.packet >= start:
            break
        last = cue
        first = cue.packet if cue.begins or first is None else first
    if last is None or not last.shows or (last.end is not None and last.end <= start):
        return None
    return first
