"""The reports of a worker, kept until the scheduler has committed them."""

from __future__ import annotations

from collections import deque

from ffrtmp_ray.core.messages import Report
from ffrtmp_ray.core.model import AttemptId


class Outbox:
    """Numbers reports from 1 on and holds each until its number is acknowledged."""

    def __init__(self) -> None:
        self._kept: deque[tuple[int, Report]] = deque()
        self._last = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, report: Report) -> None:
        self._last += 1
        self._kept.append((self._last, report))

    def acknowledge(self, sequence: int) -> None:
        """Drop all reports up to and with `sequence`."""
        while self._kept and self._kept[0][0] <= sequence:
            self._kept.popleft()

    @property
    def kept(self) -> tuple[tuple[int, Report], ...]:
        return tuple(self._kept)

    @property
    def attempts(self) -> frozenset[AttemptId]:
        return frozenset(report.attempt_id for _, report in self._kept)
