"""How a rendition is encoded again that has exceeded its bitrate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffrtmp_ray.media.encode.tighten import MOST_TRIES, Try, tightened, tries_of, tries_said

RATE = 1_000_000


def test_what_keeps_its_bitrate_is_not_encoded_again() -> None:
    assert tightened([Try(30, RATE, 1)], 63) is None


def test_what_is_over_by_little_gets_a_lower_goal_and_keeps_its_quality() -> None:
    assert tightened([Try(30, RATE, 0.8)], 63) == (30, 720_000)


def test_what_is_far_over_gets_a_higher_crf_too() -> None:
    assert tightened([Try(30, RATE, 0.25)], 63) == (48, 250_000)


def test_a_lower_goal_that_has_not_been_enough_is_followed_by_a_higher_crf() -> None:
    tries = [Try(30, RATE, 0.8), Try(30, 720_000, 0.9)]
    assert tightened(tries, 63) == (33, 583_200)


@given(st.integers(0, 63), st.floats(0, 0.999), st.sampled_from([51, 63]))
def test_tries_get_coarser_and_the_last_is_the_coarsest(
    crf: int, share: float, coarsest: int
) -> None:
    tries = [Try(min(crf, coarsest), RATE, share)]
    while (given := tightened(tries, coarsest)) is not None:
        assert tries[-1].crf <= given[0] <= coarsest
        assert RATE // 4 <= given[1] <= tries[-1].max_bitrate
        tries.append(Try(*given, share))
    assert len(tries) == MOST_TRIES
    assert tries[-1].crf == coarsest


@pytest.mark.parametrize("tries", [1, 2, 4])
def test_a_chunk_says_how_often_it_was_encoded(tries: int) -> None:
    tags = dict(word.split("=") for word in tries_said(tries) if "=" in word)
    assert tries_of(tags) == tries


def test_a_comment_of_another_kind_says_nothing() -> None:
    assert tries_of({"comment": "by ffmpeg"}) == 1
