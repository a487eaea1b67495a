from __future__ import annotations

import pytest

from ffrtmp_ray.core.pace import MEMORY_SECONDS, Rate


def test_what_happens_every_two_seconds_happens_half_a_time_a_second() -> None:
    rate = Rate()
    for n in range(500):
        rate.mark(1000.0 + 2 * n)
    assert rate.per_second(2000.0) == pytest.approx(0.5, rel=0.05)


def test_also_when_it_has_only_begun_to() -> None:
    rate = Rate()
    for n in range(10):
        rate.mark(1000.0 + 2 * n)
    assert rate.per_second(1020.0) == pytest.approx(0.5, rel=0.1)


def test_what_happens_no_more_is_forgotten() -> None:
    rate = Rate()
    rate.mark(0.0)
    later = rate.per_second(5 * MEMORY_SECONDS)
    assert later is not None
    assert later < 1e-4


def test_of_what_never_happened_nothing_is_known() -> None:
    assert Rate().per_second(10.0) is None
