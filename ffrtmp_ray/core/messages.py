"""What goes into the engine and what comes out: events, changes and commands.

Events are facts, named in the past tense. Changes are rows to commit. Commands are orders to
carry out after the commit, named in the imperative; each may be repeated without harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct, field

from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Document,
    Failure,
    Job,
    JobId,
    JobState,
    NewTask,
    Priority,
    Queue,
    Task,
    TaskId,
    Worker,
    WorkerId,
)

# ------------------------------------------------------------------- events: what callers asked


class JobSubmitted(Struct, frozen=True, gc=False):
    job: Job
    """In state `pending`."""
    tasks: tuple[NewTask, ...]
    """What it starts with: one `plan`."""
    spec: Document = field(default_factory=dict)
    """What the user asked for, whole; the engine hands it to the store."""
    finished: Mapping[JobId, JobState] = field(default_factory=dict)
    """The states of those jobs that it depends on which the engine no longer holds."""


class ChangeRequested(Struct, frozen=True, gc=False):
    """An unfinished job is to have another place in the order, or other labels. None keeps what
    is."""

    job_id: JobId
    who: str
    queue: Queue | None = None
    priority: Priority | None = None
    labels: Mapping[str, str] | None = None
    """All of them: what is not named is removed."""


class PauseRequested(Struct, frozen=True, gc=False):
    job_id: JobId
    who: str


class ResumeRequested(Struct, frozen=True, gc=False):
    job_id: JobId
    who: str


class CancelRequested(Struct, frozen=True, gc=False):
    job_id: JobId
    who: str


class RetryRequested(Struct, frozen=True, gc=False):
    """Carries the rows of the finished job, which the engine no longer holds."""

    job: Job
    tasks: tuple[Task, ...]
    who: str
    finished: Mapping[JobId, JobState] = field(default_factory=dict)
    """As in JobSubmitted; not looked at when the job has started before."""


class DrainRequested(Struct, frozen=True, gc=False):
    worker_id: WorkerId


class DrainEnded(Struct, frozen=True, gc=False):
    worker_id: WorkerId


# ------------------------------------------------------------------- events: what workers report


class WorkerJoined(Struct, frozen=True, gc=False):
    worker: Worker


class WorkerLost(Struct, frozen=True, gc=False):
    """It is dead, silent, retired or its node is gone; nothing more is heard of its attempts."""

    worker_id: WorkerId
    reason: str
    orderly: bool = False
    """It was closed by our own order: its attempts count as drained, not as lost with it."""


class TaskStarted(Struct, frozen=True, gc=False):
    worker_id: WorkerId
    attempt_id: AttemptId


class TaskSuspended(Struct, frozen=True, gc=False):
    worker_id: WorkerId
    attempt_id: AttemptId


class TaskContinued(Struct, frozen=True, gc=False):
    worker_id: WorkerId
    attempt_id: AttemptId


class TaskSucceeded(Struct, frozen=True, gc=False):
    worker_id: WorkerId
    attempt_id: AttemptId
    result: Document = field(default_factory=dict)
    spawn: tuple[NewTask, ...] = ()
    log: str = ""


class TaskReplaced(Struct, frozen=True, gc=False):
    """The job is to go on with other tasks: its unfinished ones are canceled."""

    worker_id: WorkerId
    attempt_id: AttemptId
    reason: str
    spawn: tuple[NewTask, ...]
    log: str = ""


class TaskFailed(Struct, frozen=True, gc=False):
    worker_id: WorkerId
    attempt_id: AttemptId
    failure: Failure
    log: str = ""


class TaskStopped(Struct, frozen=True, gc=False):
    """The attempt ended because it was ordered to, or is not known to the worker any more."""

    worker_id: WorkerId
    attempt_id: AttemptId
    log: str = ""


class Tick(Struct, frozen=True, gc=False):
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
    | ChangeRequested
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


class JobAdded(Struct, frozen=True, gc=False):
    job: Job
    spec: Document


class JobChanged(Struct, frozen=True, gc=False):
    job: Job


class LabelsChanged(Struct, frozen=True, gc=False):
    """The labels in a job's spec are to be these."""

    job_id: JobId
    labels: Mapping[str, str]


class JobTransitioned(Struct, frozen=True, gc=False):
    """One row of the audit trail; `source` is None for a job's first."""

    job_id: JobId
    source: JobState | None
    target: JobState
    at: float
    reason: str
    who: str


class TaskAdded(Struct, frozen=True, gc=False):
    task: Task
    payload: Document


class TaskChanged(Struct, frozen=True, gc=False):
    task: Task


class ResultAdded(Struct, frozen=True, gc=False):
    """What a succeeded task hands to those that wait for it."""

    task_id: TaskId
    result: Document


class AttemptAdded(Struct, frozen=True, gc=False):
    attempt: Attempt


class AttemptChanged(Struct, frozen=True, gc=False):
    attempt: Attempt
    log: str | None = None
    """The end of what its processes printed; given once, when the attempt ends."""


class WorkerAdded(Struct, frozen=True, gc=False):
    worker: Worker


class WorkerChanged(Struct, frozen=True, gc=False):
    worker: Worker


class WorkerRemoved(Struct, frozen=True, gc=False):
    worker_id: WorkerId


Change: TypeAlias = (
    JobAdded
    | LabelsChanged
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


class Sync(Struct, frozen=True, gc=False):
    """The whole wanted set of one worker: what is not named is to stop."""

    worker_id: WorkerId
    attempts: Mapping[AttemptId, Level]


class Discard(Struct, frozen=True, gc=False):
    """A failed or canceled job has no running attempt left: remove its unfinished files."""

    job_id: JobId


Command: TypeAlias = Sync | Discard


class Outcome(Struct, frozen=True, gc=False):
    """What follows from one event. Nothing of it has been done yet."""

    changes: tuple[Change, ...] = ()
    commands: tuple[Command, ...] = ()
    wake_at: float | None = None
    """When a `Tick` is wanted, if nothing else happens before."""
    scheduled: Mapping[str, int] = field(default_factory=dict)
    """Placement decisions by result: `placed`, `preempted` (a victim was ordered to stop),
    `reserved` (a worker is kept free for a task that is too large for what comes free),
    `no_room` (a task fits a worker, but none has room now), `unmet` (no worker can ever)."""
