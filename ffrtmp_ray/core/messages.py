"""What goes into the engine and what comes out: events, changes and commands.

Events are facts, named in the past tense. Changes are rows to commit. Commands are orders to
carry out after the commit, named in the imperative; each may be repeated without harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Document,
    Failure,
    Job,
    JobId,
    JobState,
    NewTask,
    Task,
    TaskId,
    Worker,
    WorkerId,
)

# ------------------------------------------------------------------- events: what callers asked


@dataclass(frozen=True, slots=True)
class JobSubmitted:
    job: Job
    """In state `pending`."""
    tasks: tuple[NewTask, ...]
    """What it starts with: one `plan`."""
    spec: Document = field(default_factory=dict)
    """What the user asked for, whole; the engine hands it to the store."""


@dataclass(frozen=True, slots=True)
class PauseRequested:
    job_id: JobId
    who: str


@dataclass(frozen=True, slots=True)
class ResumeRequested:
    job_id: JobId
    who: str


@dataclass(frozen=True, slots=True)
class CancelRequested:
    job_id: JobId
    who: str


@dataclass(frozen=True, slots=True)
class RetryRequested:
    """Carries the rows of the finished job, which the engine no longer holds."""

    job: Job
    tasks: tuple[Task, ...]
    who: str


@dataclass(frozen=True, slots=True)
class DrainRequested:
    worker_id: WorkerId


@dataclass(frozen=True, slots=True)
class DrainEnded:
    worker_id: WorkerId


# ------------------------------------------------------------------- events: what workers report


@dataclass(frozen=True, slots=True)
class WorkerJoined:
    worker: Worker


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """It is dead, silent, retired or its node is gone; nothing more is heard of its attempts."""

    worker_id: WorkerId
    reason: str
    orderly: bool = False
    """It was closed by our own order: its attempts count as drained, not as lost with it."""


@dataclass(frozen=True, slots=True)
class TaskStarted:
    worker_id: WorkerId
    attempt_id: AttemptId


@dataclass(frozen=True, slots=True)
class TaskSuspended:
    worker_id: WorkerId
    attempt_id: AttemptId


@dataclass(frozen=True, slots=True)
class TaskContinued:
    worker_id: WorkerId
    attempt_id: AttemptId


@dataclass(frozen=True, slots=True)
class TaskSucceeded:
    worker_id: WorkerId
    attempt_id: AttemptId
    result: Document = field(default_factory=dict)
    spawn: tuple[NewTask, ...] = ()
    log: str = ""


@dataclass(frozen=True, slots=True)
class TaskReplaced:
    """The job is to go on with other tasks: its unfinished ones are canceled."""

    worker_id: WorkerId
    attempt_id: AttemptId
    reason: str
    spawn: tuple[NewTask, ...]
    log: str = ""


@dataclass(frozen=True, slots=True)
class TaskFailed:
    worker_id: WorkerId
    attempt_id: AttemptId
    failure: Failure
    log: str = ""


@dataclass(frozen=True, slots=True)
class TaskStopped:
    """The attempt ended because it was ordered to, or is not known to the worker any more."""

    worker_id: WorkerId
    attempt_id: AttemptId
    log: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """The time that an earlier outcome asked for (`wake_at`) has come."""


Report: TypeAlias = (
    TaskStarted
    | TaskSuspended
    | TaskContinued
    | TaskSucceeded
    | TaskReplaced
    | TaskFailed
    | TaskStopped
)
"""What a worker says of one of its attempts."""

Event: TypeAlias = (
    JobSubmitted
    | PauseRequested
    | ResumeRequested
    | CancelRequested
    | RetryRequested
    | DrainRequested
    | DrainEnded
    | WorkerJoined
    | WorkerLost
    | Report
    | Tick
)

# ------------------------------------------------------------------- changes: rows to commit


@dataclass(frozen=True, slots=True)
class JobAdded:
    job: Job
    spec: Document


@dataclass(frozen=True, slots=True)
class JobChanged:
    job: Job


@dataclass(frozen=True, slots=True)
class JobTransitioned:
    """One row of the audit trail; `source` is None for a job's first."""

    job_id: JobId
    source: JobState | None
    target: JobState
    at: float
    reason: str
    who: str


@dataclass(frozen=True, slots=True)
class TaskAdded:
    task: Task
    payload: Document


@dataclass(frozen=True, slots=True)
class TaskChanged:
    task: Task


@dataclass(frozen=True, slots=True)
class ResultAdded:
    """What a succeeded task hands to those that wait for it."""

    task_id: TaskId
    result: Document


@dataclass(frozen=True, slots=True)
class AttemptAdded:
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class AttemptChanged:
    attempt: Attempt
    log: str | None = None
    """The end of what its processes printed; given once, when the attempt ends."""


@dataclass(frozen=True, slots=True)
class WorkerAdded:
    worker: Worker


@dataclass(frozen=True, slots=True)
class WorkerChanged:
    worker: Worker


@dataclass(frozen=True, slots=True)
class WorkerRemoved:
    worker_id: WorkerId


Change: TypeAlias = (
    JobAdded
    | JobChanged
    | JobTransitioned
    | TaskAdded
    | TaskChanged
    | ResultAdded
    | AttemptAdded
    | AttemptChanged
    | WorkerAdded
    | WorkerChanged
    | WorkerRemoved
)

# ------------------------------------------------------------------- commands: orders to carry out


class Level(StrEnum):
    """What is wanted of an attempt."""

    RUN = "run"
    SUSPEND = "suspend"


@dataclass(frozen=True, slots=True)
class Sync:
    """The whole wanted set of one worker: what is not named is to stop."""

    worker_id: WorkerId
    attempts: Mapping[AttemptId, Level]


@dataclass(frozen=True, slots=True)
class Discard:
    """A failed or canceled job has no running attempt left: remove its unfinished files."""

    job_id: JobId


Command: TypeAlias = Sync | Discard


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from one event. Nothing of it has been done yet."""

    changes: tuple[Change, ...] = ()
    commands: tuple[Command, ...] = ()
    wake_at: float | None = None
    """When a `Tick` is wanted, if nothing else happens before."""
    scheduled: Mapping[str, int] = field(default_factory=dict)
    """Placement decisions by result: `placed`, `preempted` (a victim was ordered to stop),
    `no_room` (a task fits a worker, but none has room now), `unmet` (no worker can ever)."""
