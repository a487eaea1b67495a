"""Resources as one integer each, so that the engine adds and compares them in one step.

All fields together have 60 bits, which is what the compiled engine keeps in a register. Pure; only
placement knows how it is laid out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, TypeAlias

from ffrtmp_ray.core.model import Resources
from ffrtmp_ray.errors import InvalidRequest

Size: TypeAlias = int
"""What a task takes, or a worker has: sizes add up."""
Room: TypeAlias = int
"""What is left of a worker. A field may be below 0, so a room has the bias `NO_ROOM` in it."""

_BITS: Final = {
    "cpus": 13,
    "gpu_sessions": 8,
    "gpu_memory_mib": 21,
    "plan_slots": 9,
    "light_slots": 9,
}
"""Of each field. The first one weighs most when rooms are compared."""
_SHIFTS: Final = {name: sum(list(_BITS.values())[place + 1 :]) for place, name in enumerate(_BITS)}
NO_ROOM: Final[Room] = sum(1 << (shift + _BITS[name] - 1) for name, shift in _SHIFTS.items())
"""The highest bit of every field: it is there as long as the field is not below 0."""
MOST: Final = Resources(**{name: (1 << (bits - 2)) - 1 for name, bits in _BITS.items()})
"""A quarter of what the bits hold: what a worker has is never given out more than twice over."""


@lru_cache(maxsize=4096)
def pack(resources: Resources) -> Size:
    """Raises InvalidRequest for a field below 0 or above that of MOST."""
    size = 0
    for name, shift in _SHIFTS.items():
        value, most = getattr(resources, name), getattr(MOST, name)
        if not 0 <= value <= most:
            raise InvalidRequest(f"{value} is not from 0 to {most}", where=name)
        size += value << shift
    return size


def unpack(room: Room) -> Resources:
    """The fields of a room, those below 0 as 0."""
    fields = {}
    for name, shift in _SHIFTS.items():
        zero = 1 << (_BITS[name] - 1)
        fields[name] = max(0, (room >> shift & (2 * zero - 1)) - zero)
    return Resources(**fields)


def at_least_nothing(room: Room) -> Room:
    """With fields below 0 as 0: what is short of CPUs may still have slots."""
    return room if room & NO_ROOM == NO_ROOM else NO_ROOM + pack(unpack(room))


def holds(room: Room, size: Size) -> bool:
    """Whether `size` fits: no field of what would be left is below 0."""
    return (room - size) & NO_ROOM == NO_ROOM


@lru_cache(maxsize=4096)
def times(room: Room, size: Size) -> int:
    """How many times `size` fits, which is not nothing."""
    left, one = unpack(room), unpack(NO_ROOM + size)
    fields = [(getattr(left, name), getattr(one, name)) for name in _SHIFTS]
    return int(min(have // each for have, each in fields if each))


def risen(before: Room, after: Room) -> bool:
    """Whether some field is larger than it was."""
    return before != after and (before - after + NO_ROOM) & NO_ROOM != NO_ROOM
