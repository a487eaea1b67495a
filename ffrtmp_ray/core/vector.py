"""Resources as one integer each, so that the engine adds and compares them in one step.

Each field of `Resources` has 24 bits of the integer. Pure, and known to placement alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

from ffrtmp_ray.core.model import Resources
from ffrtmp_ray.errors import InvalidRequest

Size: TypeAlias = int
"""What a task takes, or a worker has: sizes add up."""
Room: TypeAlias = int
"""What is left of a worker. A field may be below 0, so a room has the bias `NO_ROOM` in it."""

_BITS = 24
_SHIFTS = {name: _BITS * at for at, name in enumerate(reversed(Resources.__struct_fields__))}
"""The first field of `Resources` weighs most when rooms are compared."""
NO_ROOM: Room = sum(1 << (shift + _BITS - 1) for shift in _SHIFTS.values())
"""The highest bit of every field: it is there as long as the field is not below 0."""
MOST = (1 << (_BITS - 2)) - 1
"""Of one field; what a worker has is never given out more than twice over."""


@lru_cache(maxsize=4096)
def pack(resources: Resources) -> Size:
    """Raises InvalidRequest for a field below 0 or above MOST."""
    size = 0
    for name, shift in _SHIFTS.items():
        value = getattr(resources, name)
        if not 0 <= value <= MOST:
            raise InvalidRequest(f"{value} is not from 0 to {MOST}", where=name)
        size += value << shift
    return size


def unpack(room: Room) -> Resources:
    """The fields of a room, those below 0 as 0."""
    mask = (1 << _BITS) - 1
    fields = {name: (room >> shift & mask) - (mask + 1) // 2 for name, shift in _SHIFTS.items()}
    return Resources(**{name: max(0, value) for name, value in fields.items()})


def at_least_nothing(room: Room) -> Room:
    """With fields below 0 as 0: what is short of CPUs may still have slots."""
    return room if room & NO_ROOM == NO_ROOM else NO_ROOM + pack(unpack(room))


def holds(room: Room, size: Size) -> bool:
    """Whether `size` fits: no field of what would be left is below 0."""
    return (room - size) & NO_ROOM == NO_ROOM


def risen(before: Sequence[Room], after: Sequence[Room]) -> list[int]:
    """The places at which some field of a room is larger than it was."""
    return [
        place
        for place, (old, new) in enumerate(zip(before, after, strict=True))
        if old != new and (old - new + NO_ROOM) & NO_ROOM != NO_ROOM
    ]
