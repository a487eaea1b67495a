"""When something is due without an event: a heap of times, cleaned lazily. Reads no clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from heapq import heappop, heappush
from typing import NamedTuple


class Due(IntEnum):
    """What is due."""

    RETRY = 0
    """A delayed task is ready again."""
    SUSPEND_LIMIT = 1
    """The attempts of a paused job give up their places."""
    DEADLINE = 2
    """A job's time is up."""
    RESERVATION = 3
    """A worker has been kept free long enough."""


class Timer(NamedTuple):
    at: float
    due: Due
    subject: str
    """A task's or a job's id."""


class Timers:
    """`at_of` says when something is due by now's knowledge: a timer of another time is stale."""

    def __init__(self, at_of: Callable[[Due, str], float | None]) -> None:
        self._heap: list[Timer] = []
        self._at_of = at_of

    def set(self, due: Due, subject: str) -> None:
        """Watch for it at the time that `at_of` says, if it says one."""
        at = self._at_of(due, subject)
        if at is not None:
            heappush(self._heap, Timer(at, due, subject))

    def next_at(self) -> float | None:
        while self._heap and self._is_stale(self._heap[0]):
            heappop(self._heap)
        return self._heap[0].at if self._heap else None

    def pop_due(self, now: float) -> Iterable[Timer]:
        """What is due at `now`, each once, earliest first."""
        return self._pop_due(now) if self._heap and self._heap[0].at <= now else ()

    def _pop_due(self, now: float) -> Iterator[Timer]:
        while (at := self.next_at()) is not None and at <= now:
            timer = heappop(self._heap)
            while self._heap and self._heap[0] == timer:
                heappop(self._heap)
            yield timer

    def _is_stale(self, timer: Timer) -> bool:
        return self._at_of(timer.due, timer.subject) != timer.at
