"""What one event changed: each row once, in its last version, in an order that keys allow."""

from __future__ import annotations

from collections.abc import Mapping

from ffrtmp_ray.core.messages import (
    AttemptAdded,
    AttemptChanged,
    Change,
    JobAdded,
    JobChanged,
    JobTransitioned,
    LabelsChanged,
    ResultAdded,
    TaskAdded,
    TaskChanged,
    WorkerAdded,
    WorkerChanged,
    WorkerRemoved,
)
from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Document,
    Job,
    JobId,
    Task,
    TaskId,
    Worker,
    WorkerId,
)


class Journal:
    """Begun empty for every event."""

    __slots__ = (
        "attempts",
        "discards",
        "jobs",
        "labels",
        "logs",
        "new_attempts",
        "new_workers",
        "payloads",
        "reasons",
        "removed_workers",
        "results",
        "scheduled",
        "specs",
        "synced",
        "tasks",
        "transitions",
        "workers",
    )

    def __init__(self) -> None:
        self.jobs: dict[JobId, Job] = {}
        self.specs: dict[JobId, Document] = {}
        """Of jobs that are new."""
        self.labels: dict[JobId, Mapping[str, str]] = {}
        self.transitions: list[JobTransitioned] = []
        self.tasks: dict[TaskId, Task] = {}
        self.payloads: dict[TaskId, Document] = {}
        """Of tasks that are new."""
        self.results: dict[TaskId, Document] = {}
        self.attempts: dict[AttemptId, Attempt] = {}
        self.new_attempts: set[AttemptId] = set()
        self.logs: dict[AttemptId, str] = {}
        self.workers: dict[WorkerId, Worker] = {}
        self.new_workers: set[WorkerId] = set()
        self.removed_workers: list[WorkerId] = []

        self.reasons: dict[JobId, tuple[str, str]] = {}
        """Of jobs whose tasks changed: why, and who made them; the last one counts."""
        self.synced: dict[WorkerId, None] = {}
        """Workers of which something else is wanted."""
        self.discards: dict[JobId, None] = {}
        self.scheduled: dict[str, int] = {}
        """Placement decisions, by result: see `Outcome.scheduled`."""

    def decided(self, result: str, by: int = 1) -> None:
        """Count a placement decision, or take one back with `by=-1`."""
        count = self.scheduled.pop(result, 0) + by
        if count:
            self.scheduled[result] = count

    def affected(self) -> dict[JobId, None]:
        """Jobs whose state may have changed."""
        affected = dict.fromkeys(self.jobs)
        for task in self.tasks.values():
            affected[task.job_id] = None
        return affected

    def changes(self) -> tuple[Change, ...]:
        changes: list[Change] = [
            WorkerAdded(worker) if worker.id in self.new_workers else WorkerChanged(worker)
            for worker in self.workers.values()
        ]
        for job_id, job in self.jobs.items():
            new = job_id in self.specs
            changes.append(JobAdded(job, self.specs[job_id]) if new else JobChanged(job))
        for job_id, labels in self.labels.items():
            changes.append(LabelsChanged(job_id, labels))
        changes += self.transitions
        for task_id, task in self.tasks.items():
            new = task_id in self.payloads
            changes.append(TaskAdded(task, self.payloads[task_id]) if new else TaskChanged(task))
        for task_id, result in self.results.items():
            changes.append(ResultAdded(task_id, result))
        for attempt_id, attempt in self.attempts.items():
            if attempt_id in self.new_attempts:
                changes.append(AttemptAdded(attempt))
            else:
                changes.append(AttemptChanged(attempt, self.logs.get(attempt_id)))
        if self.removed_workers:
            changes += map(WorkerRemoved, self.removed_workers)
        return tuple(changes)
