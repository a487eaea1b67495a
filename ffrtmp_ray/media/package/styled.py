"""Styled subtitles (ASS, SSA): whether a picture that they are drawn on can be cut. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_TIME = re.compile(r"(\d+):(\d\d):(\d\d)\.(\d\d)")
_PLACED = re.compile(r"\\(?:pos|move)\s*\(")
_FIELDS = 3
"""Of a dialogue, before those that may be in any order: layer, start and end, as libavformat has
them."""


@dataclass(frozen=True, slots=True)
class Event:
    start: int
    end: int
    """Hundredths of a second."""
    layer: int
    placed: bool
    """It says itself where it lies."""


def read_events(text: str) -> list[Event]:
    """The dialogues of an ASS file, as ffmpeg writes it."""
    found = (_event(line) for line in text.splitlines() if line.startswith("Dialogue:"))
    return [event for event in found if event is not None]


def make_room(events: Iterable[Event]) -> bool:
    """Whether some lie where those that were shown before have left room: a renderer that has not
    seen these puts them elsewhere. libass keeps cues of one layer apart, and those that say where
    they lie where they are."""
    ends: dict[int, int] = {}
    for event in sorted(events, key=lambda event: event.start):
        if event.placed:
            continue
        if event.start < ends.get(event.layer, 0):
            return True
        ends[event.layer] = event.end
    return False


def _event(line: str) -> Event | None:
    fields = line.removeprefix("Dialogue:").split(",", _FIELDS)
    if len(fields) <= _FIELDS:
        return None
    start, end = (_hundredths(field) for field in fields[1:3])
    layer = fields[0].strip()
    if start is None or end is None:
        return None
    placed = _PLACED.search(fields[-1]) is not None
    return Event(start, end, int(layer) if layer.isdecimal() else 0, placed)


def _hundredths(field: str) -> int | None:
    found = _TIME.fullmatch(field.strip())
    if found is None:
        return None
    hours, minutes, seconds, rest = map(int, found.groups())
    return ((hours * 60 + minutes) * 60 + seconds) * 100 + rest
