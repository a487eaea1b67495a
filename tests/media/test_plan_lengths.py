"""How many chunks a length of media is cut into."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ffrtmp_ray.media.plan.lengths import Limits, lengths_for, tapering_lengths

TEN_TO_SIXTY = Limits(Fraction(10), Fraction(60))


def _seconds(length: int, slots: int) -> list[int]:
    return [round(each) for each in lengths_for(Fraction(length), slots, TEN_TO_SIXTY)]


def test_what_is_too_short_for_two_chunks_is_one() -> None:
    assert _seconds(19, 8) == [19]


def test_a_minute_on_two_cpus_is_four_chunks() -> None:
    assert _seconds(60, 2) == [15, 15, 15, 15]


def test_the_last_chunks_are_shorter() -> None:
    assert _seconds(600, 2) == [60] * 8 + [30] * 2 + [15] * 4


def test_one_slot_gets_the_longest_chunks() -> None:
    assert _seconds(60, 1) == [60]
    assert _seconds(180, 1) == [60, 60, 60]
    assert _seconds(60, 0) == [60]


def test_a_large_farm_gets_the_shortest_chunks_that_are_worth_it() -> None:
    assert _seconds(60, 64) == [10] * 6


def test_a_number_of_chunks_that_each_slot_gets_one_of_is_of_equal_ones() -> None:
    assert tapering_lengths(Fraction(60), 3, 2) == (20, 20, 20)
    assert tapering_lengths(Fraction(60), 6, 1) == (10,) * 6


def test_of_many_chunks_the_last_are_shorter() -> None:
    lengths = tapering_lengths(Fraction(60), 4, 2)
    assert [float(each) for each in lengths] == [25.5, 18.5, 11.5, 4.5]


@given(
    length=st.fractions(min_value=Fraction(1, 100), max_value=20_000),
    number=st.integers(1, 300),
    slots=st.integers(0, 300),
)
def test_tapering_lengths_add_up(length: Fraction, number: int, slots: int) -> None:
    lengths = tapering_lengths(length, number, slots)
    assert (len(lengths), sum(lengths)) == (number, length)
    assert list(lengths) == sorted(lengths, reverse=True)


@given(
    length=st.fractions(min_value=Fraction(1, 100), max_value=20_000),
    slots=st.integers(0, 300),
    shortest=st.fractions(min_value=1, max_value=60),
    more=st.fractions(min_value=0, max_value=600),
)
def test_lengths_add_up_and_keep_their_limits(
    length: Fraction, slots: int, shortest: Fraction, more: Fraction
) -> None:
    limits = Limits(shortest, shortest + more)
    lengths = lengths_for(length, slots, limits)
    assert sum(lengths) == length
    assert list(lengths) == sorted(lengths, reverse=True) or len(set(lengths)) <= 2
    if length >= 2 * shortest:
        assert min(lengths) >= shortest / 2
    assert max(lengths) <= max(limits.longest, 2 * shortest)
