"""A worker as the engine's tests have it: obeys the newest order, and keeps its reports.

Nothing here is sent or received: the test decides when an order arrives, and which report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ffrtmp_ray.core.messages import (
    Level,
    Report,
    TaskContinued,
    TaskFailed,
    TaskReplaced,
    TaskStarted,
    TaskStopped,
    TaskSucceeded,
    TaskSuspended,
)
from ffrtmp_ray.core.model import AttemptId, Failure, NewTask, Worker


@dataclass(frozen=True)
class Order:
    epoch: int
    revision: int
    attempts: Mapping[AttemptId, Level]


@dataclass
class FakeWorker:
    worker: Worker
    obeyed: tuple[int, int] = (0, 0)
    """Epoch and revision of the newest order that has arrived."""
    wanted: Mapping[AttemptId, Level] = field(default_factory=dict)
    running: dict[AttemptId, Level] = field(default_factory=dict)
    ended: set[AttemptId] = field(default_factory=set)
    reports: dict[AttemptId, list[Report]] = field(default_factory=dict)
    """Of each attempt those that have not been acknowledged, oldest first."""

    def obey(self, order: Order) -> None:
        if (order.epoch, order.revision) <= self.obeyed:
            return
        self.obeyed = (order.epoch, order.revision)
        self.wanted = order.attempts
        for attempt_id in [each for each in self.running if each not in order.attempts]:
            self._end(TaskStopped(self.worker.id, attempt_id, "it was stopped"))
        for attempt_id, level in order.attempts.items():
            if attempt_id in self.ended:
                continue
            if attempt_id not in self.running:
                self.running[attempt_id] = Level.RUN
                self._report(TaskStarted(self.worker.id, attempt_id))
            if level is not self.running[attempt_id]:
                self.running[attempt_id] = level
                suspended = level is Level.SUSPEND
                report = TaskSuspended if suspended else TaskContinued
                self._report(report(self.worker.id, attempt_id))

    def succeed(self, attempt_id: AttemptId, spawn: tuple[NewTask, ...]) -> None:
        self._end(TaskSucceeded(self.worker.id, attempt_id, {"by": attempt_id}, spawn))

    def replace(self, attempt_id: AttemptId, spawn: tuple[NewTask, ...]) -> None:
        self._end(TaskReplaced(self.worker.id, attempt_id, "frames are missing", spawn))

    def fail(self, attempt_id: AttemptId, failure: Failure) -> None:
        self._end(TaskFailed(self.worker.id, attempt_id, failure))

    def give_up(self, attempt_id: AttemptId) -> None:
        """Stop an attempt that nobody asked to stop, as a worker that is being closed does."""
        self._end(TaskStopped(self.worker.id, attempt_id))

    def acknowledge(self, report: Report) -> None:
        kept = self.reports[report.attempt_id]
        kept.remove(report)
        if not kept:
            del self.reports[report.attempt_id]

    def has(self, attempt_id: AttemptId) -> bool:
        return attempt_id in self.running or attempt_id in self.reports

    def _report(self, report: Report) -> None:
        self.reports.setdefault(report.attempt_id, []).append(report)

    def _end(self, report: Report) -> None:
        del self.running[report.attempt_id]
        self.ended.add(report.attempt_id)
        self._report(report)
