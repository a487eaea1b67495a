from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from ffrtmp_ray.core.model import Resources
from ffrtmp_ray.core.vector import MOST, NO_ROOM, holds, pack, risen, unpack
from ffrtmp_ray.errors import InvalidRequest

SOME = st.builds(
    Resources,
    *(st.one_of(st.integers(0, 3), st.integers(0, most)) for most in astuple(MOST)),
)


@given(SOME)
def test_what_is_packed_is_the_same_unpacked(resources: Resources) -> None:
    assert unpack(NO_ROOM + pack(resources)) == resources


@given(SOME, SOME)
def test_a_room_holds_what_is_within_it_in_every_field(room: Resources, size: Resources) -> None:
    assert holds(NO_ROOM + pack(room), pack(size)) == size.within(room)


@given(SOME, SOME)
def test_a_room_has_risen_when_one_field_of_it_has(before: Resources, after: Resources) -> None:
    rooms = NO_ROOM + pack(before), NO_ROOM + pack(after)
    assert risen(*rooms) == (not after.within(before))


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


@pytest.mark.parametrize("cpus", [-1, MOST.cpus + 1])
def test_what_no_field_holds_is_refused(cpus: int) -> None:
    with pytest.raises(InvalidRequest, match="cpus"):
        pack(Resources(cpus=cpus))


def test_a_room_of_all_that_there_can_be_has_60_bits_and_all_fields_have_some() -> None:
    """The compiled engine computes with integers of up to 62 bits much faster."""
    assert (NO_ROOM + pack(MOST)).bit_length() == 60
    assert min(astuple(MOST)) > 0
