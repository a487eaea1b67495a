from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffrtmp_ray.core.model import Resources
from ffrtmp_ray.core.vector import MOST, NO_ROOM, holds, pack, risen, unpack
from ffrtmp_ray.errors import InvalidRequest

NUMBERS = st.one_of(st.integers(0, 3), st.integers(0, MOST))
SOME = st.builds(Resources, NUMBERS, NUMBERS, NUMBERS, NUMBERS)


@given(SOME)
def test_what_is_packed_is_the_same_unpacked(resources: Resources) -> None:
    assert unpack(NO_ROOM + pack(resources)) == resources


@given(SOME, SOME)
def test_a_room_holds_what_is_within_it_in_every_field(room: Resources, size: Resources) -> None:
    assert holds(NO_ROOM + pack(room), pack(size)) == size.within(room)


@given(SOME, SOME)
def test_a_room_has_risen_when_one_field_of_it_has(before: Resources, after: Resources) -> None:
    rooms = [NO_ROOM + pack(before), NO_ROOM], [NO_ROOM + pack(after), NO_ROOM]
    assert risen(*rooms) == ([] if after.within(before) else [0])


@given(SOME, SOME, SOME)
def test_a_field_that_is_overdrawn_takes_nothing_from_its_neighbours(
    capacity: Resources, taken: Resources, size: Resources
) -> None:
    room = NO_ROOM + pack(capacity) - pack(taken)
    left = [max(0, has - gone) for has, gone in zip(_fields(capacity), _fields(taken), strict=True)]
    assert _fields(unpack(room)) == left
    assert holds(room, pack(size)) == (taken + size).within(capacity)


def _fields(resources: Resources) -> list[int]:
    return [getattr(resources, name) for name in Resources.__struct_fields__]


@pytest.mark.parametrize("cpus", [-1, MOST + 1])
def test_what_no_field_holds_is_refused(cpus: int) -> None:
    with pytest.raises(InvalidRequest, match="cpus"):
        pack(Resources(cpus=cpus))
