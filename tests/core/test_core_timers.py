from __future__ import annotations

from ffrtmp_ray.core.timers import Due, Timer, Timers


def test_what_is_due_comes_once_and_earliest_first() -> None:
    times = {"a": 3.0, "b": 1.0, "c": 9.0}
    timers = Timers(lambda _, subject: times.get(subject))
    for subject in "aabc":
        timers.set(Due.RETRY, subject)
    assert timers.next_at() == 1.0
    assert list(timers.pop_due(5.0)) == [Timer(1.0, Due.RETRY, "b"), Timer(3.0, Due.RETRY, "a")]
    assert list(timers.pop_due(5.0)) == []
    assert timers.next_at() == 9.0


def test_a_timer_whose_time_has_changed_is_stale() -> None:
    times: dict[str, float] = {"a": 3.0}
    timers = Timers(lambda _, subject: times.get(subject))
    timers.set(Due.DEADLINE, "a")
    times["a"] = 7.0
    assert timers.next_at() is None
    timers.set(Due.DEADLINE, "a")
    assert timers.next_at() == 7.0


def test_what_has_no_time_is_not_watched() -> None:
    timers = Timers(lambda _due, _subject: None)
    timers.set(Due.RETRY, "a")
    assert timers.next_at() is None
