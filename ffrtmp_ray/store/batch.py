"""Changes, folded: what a sequence of changes comes to, each row once in its last version.

Pure, and the same for every store. It refuses what no database should hold: a row that is added
twice, a change of a removed worker, a number that is not finite.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from msgspec.structs import fields

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


@dataclass(slots=True)
class Batch:
    """What one commit writes. Added rows are in the order in which they were added."""

    jobs_added: dict[JobId, Job] = field(default_factory=dict)
    specs: dict[JobId, Document] = field(default_factory=dict)
    """Of the added jobs."""
    jobs_changed: dict[JobId, Job] = field(default_factory=dict)
    labels: dict[JobId, Mapping[str, str]] = field(default_factory=dict)
    """That replace those in the specs of jobs that are there already."""
    tasks_added: dict[TaskId, Task] = field(default_factory=dict)
    payloads: dict[TaskId, Document] = field(default_factory=dict)
    """Of the added tasks."""
    tasks_changed: dict[TaskId, Task] = field(default_factory=dict)
    results: dict[TaskId, Document] = field(default_factory=dict)
    attempts_added: dict[AttemptId, Attempt] = field(default_factory=dict)
    attempts_changed: dict[AttemptId, Attempt] = field(default_factory=dict)
    logs: dict[AttemptId, str] = field(default_factory=dict)
    workers_added: dict[WorkerId, Worker] = field(default_factory=dict)
    workers_changed: dict[WorkerId, Worker] = field(default_factory=dict)
    workers_removed: set[WorkerId] = field(default_factory=set)
    transitions: list[JobTransitioned] = field(default_factory=list)
    last_order: int = 0
    """The highest `Job.order` in it; 0 without a job."""
    last_time: float = 0.0
    """The latest moment in it at which something happened. Plans for the future, as
    `Task.not_before`, are none."""


def fold(changes: Sequence[Change]) -> Batch:
    """What `changes` come to, in their order. Raises ValueError when they contradict each other."""
    batch = Batch()
    for change in changes:
        _FOLDS[type(change)](batch, change)
    return batch


_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def encode(document: Document | Sequence[Document]) -> str:
    """`document` as JSON. Raises ValueError or TypeError when it has none, NaN included."""
    return _ENCODER.encode(document)


_FLOATS = {
    kind: tuple(item.name for item in fields(kind) if float in (item.type, *get_args(item.type)))
    for kind in (Job, Task, Attempt, JobTransitioned)
}
"""The fields of each kind that could hold NaN."""


def _finite(value: Job | Task | Attempt | JobTransitioned) -> None:
    for name in _FLOATS[type(value)]:
        number: float | None = getattr(value, name)
        if number is not None and not math.isfinite(number):
            raise ValueError(f"a number that is not finite cannot be stored: {value}")


def _happened(batch: Batch, *times: float | None) -> None:
    for at in times:
        if at is not None and at > batch.last_time:
            batch.last_time = at


def _put(added: dict[str, Any], changed: dict[str, Any], key: str, value: object) -> None:
    """A later version of a row that this batch adds is part of its addition."""
    (added if key in added else changed)[key] = value


def _add(added: dict[str, Any], key: str, value: object) -> None:
    if key in added:
        raise ValueError(f"{key} is added twice")
    added[key] = value


def _note_job(batch: Batch, job: Job) -> None:
    _finite(job)
    _happened(batch, job.submitted_at, job.started_at, job.paused_at, job.finished_at)
    batch.last_order = max(batch.last_order, job.order)


def _job_added(batch: Batch, change: JobAdded) -> None:
    _note_job(batch, change.job)
    _add(batch.jobs_added, change.job.id, change.job)
    batch.specs[change.job.id] = change.spec


def _job_changed(batch: Batch, change: JobChanged) -> None:
    _note_job(batch, change.job)
    _put(batch.jobs_added, batch.jobs_changed, change.job.id, change.job)


def with_labels(spec: Document, labels: Mapping[str, str]) -> Document:
    """`spec` with these labels in place of its own."""
    return {**spec, "labels": dict(labels)}


def _labels_changed(batch: Batch, change: LabelsChanged) -> None:
    if change.job_id in batch.specs:
        batch.specs[change.job_id] = with_labels(batch.specs[change.job_id], change.labels)
    else:
        batch.labels[change.job_id] = change.labels


def _job_transitioned(batch: Batch, change: JobTransitioned) -> None:
    _finite(change)
    _happened(batch, change.at)
    batch.transitions.append(change)


def _task_added(batch: Batch, change: TaskAdded) -> None:
    _finite(change.task)
    _add(batch.tasks_added, change.task.id, change.task)
    batch.payloads[change.task.id] = change.payload


def _task_changed(batch: Batch, change: TaskChanged) -> None:
    _finite(change.task)
    _put(batch.tasks_added, batch.tasks_changed, change.task.id, change.task)


def _result_added(batch: Batch, change: ResultAdded) -> None:
    batch.results[change.task_id] = change.result


def _note_attempt(batch: Batch, attempt: Attempt) -> None:
    _finite(attempt)
    _happened(batch, attempt.placed_at, attempt.started_at, attempt.ended_at)


def _attempt_added(batch: Batch, change: AttemptAdded) -> None:
    _note_attempt(batch, change.attempt)
    _add(batch.attempts_added, change.attempt.id, change.attempt)


def _attempt_changed(batch: Batch, change: AttemptChanged) -> None:
    _note_attempt(batch, change.attempt)
    _put(batch.attempts_added, batch.attempts_changed, change.attempt.id, change.attempt)
    if change.log is not None:
        batch.logs[change.attempt.id] = change.log


def _worker_added(batch: Batch, change: WorkerAdded) -> None:
    if change.worker.id in batch.workers_removed:
        raise ValueError(f"{change.worker.id}: the id of a removed worker is never used again")
    _add(batch.workers_added, change.worker.id, change.worker)


def _worker_changed(batch: Batch, change: WorkerChanged) -> None:
    if change.worker.id in batch.workers_removed:
        raise ValueError(f"{change.worker.id} is changed after it was removed")
    _put(batch.workers_added, batch.workers_changed, change.worker.id, change.worker)


def _worker_removed(batch: Batch, change: WorkerRemoved) -> None:
    batch.workers_added.pop(change.worker_id, None)
    batch.workers_changed.pop(change.worker_id, None)
    batch.workers_removed.add(change.worker_id)


_FOLDS: dict[type, Callable[[Batch, Any], None]] = {
    JobAdded: _job_added,
    JobChanged: _job_changed,
    LabelsChanged: _labels_changed,
    JobTransitioned: _job_transitioned,
    TaskAdded: _task_added,
    TaskChanged: _task_changed,
    ResultAdded: _result_added,
    AttemptAdded: _attempt_added,
    AttemptChanged: _attempt_changed,
    WorkerAdded: _worker_added,
    WorkerChanged: _worker_changed,
    WorkerRemoved: _worker_removed,
}
