"""Numbers as people read them."""

from __future__ import annotations

import time

import pytest

from ffrtmp_ray.cli import formats


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (-0.2, "0.0 s"),
        (0.44, "0.4 s"),
        (9.97, "10 s"),
        (12.4, "12 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (3600, "1 h 00 min"),
        (7810, "2 h 10 min"),
        (4 * 86400 + 3 * 3600, "4 d 03 h"),
    ],
)
def test_a_duration_has_two_units_at_most(seconds: float | None, text: str) -> None:
    assert formats.duration(seconds) == text


def test_an_age_counts_from_now() -> None:
    assert formats.ago(1_800_000_000, 1_800_000_090) == "1 min 30 s ago"


def test_a_moment_is_of_this_machines_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert formats.moment(0) == "1970-01-01 05:30:00"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (formats.size(1_234_567), "1.2 MB"),
        (formats.percent(41.25), "41.2 %"),
        (formats.fps(59.94), "60 fps"),
        (formats.speed(3.456), "3.46x"),
        (formats.size(None), "-"),
        (formats.percent(None), "-"),
    ],
)
def test_each_number_carries_its_unit(text: str, expected: str) -> None:
    assert text == expected
