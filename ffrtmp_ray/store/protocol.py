"""What a store does. `store.sql` keeps it in a database; `store.memory` is the shipped fake."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ffrtmp_ray.core.messages import Change, JobTransitioned
from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Document,
    Job,
    JobId,
    JobState,
    Queue,
    Shares,
    Snapshot,
    Task,
    TaskId,
)

MAX_PAGE = 500
"""Jobs on one page of a listing, at most."""


@dataclass(frozen=True, slots=True)
class StoredJob:
    """A job with what the user asked for."""

    job: Job
    spec: Document


@dataclass(frozen=True, slots=True)
class JobRecord:
    """All that the store knows of one job, logs apart."""

    job: Job
    spec: Document
    tasks: tuple[Task, ...]
    """In the order in which they were added."""
    results: dict[TaskId, Document]
    """Of succeeded tasks."""
    attempts: tuple[Attempt, ...]
    transitions: tuple[JobTransitioned, ...]
    """The audit trail, oldest first."""


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """A job that may be removed, with all attempts that may have left files."""

    job_id: JobId
    attempts: frozenset[AttemptId]


@dataclass(frozen=True, slots=True)
class JobQuery:
    """A listing, newest first. Empty filters let everything pass."""

    states: tuple[JobState, ...] = ()
    queues: tuple[Queue, ...] = ()
    owner: str | None = None
    before: int | None = None
    """Only jobs whose `order` is below this: the cursor."""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class JobPage:
    jobs: tuple[StoredJob, ...]
    next_before: int | None
    """Cursor of the next page; None on the last."""


@dataclass(frozen=True, slots=True)
class TaskInput:
    """What a worker needs to do a task."""

    payload: Document
    results: dict[str, Document] = field(default_factory=dict)
    """Results of the tasks it waited for, by task name."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a scheduler starts from."""

    snapshot: Snapshot
    last_order: int
    """The highest `Job.order` ever given."""
    last_time: float
    """The latest time in any committed row; the engine's clock never starts below it."""
    counts: dict[JobState, int]
    """Jobs of the store by state, finished ones included."""


class Store(Protocol):
    """Durable state. Every method may block; the scheduler calls them from threads of its own.

    Raises StoreUnavailable when the database cannot be reached or written.
    """

    def take_epoch(self, holder: str, version: str) -> int:
        """Become the one scheduler, and return the number of this life (1, 2, 3 …).

        The same holder takes the next epoch at once. Another takes it only when the present
        holder has not been seen for `takeover_seconds`, else Superseded is raised, and it may
        ask again. Raises SchemaMismatch when the schema is not this version's.
        """
        ...

    def seen(self, epoch: int, shares: Shares | None = None) -> None:
        """Renew the holder's claim, and keep `shares` in place of the last ones: what owners have
        had changes all the time, and is worth no commit.

        Raises Superseded when `epoch` is not the current one.
        """
        ...

    def release(self, epoch: int) -> None:
        """Give up the holder's claim, so that any scheduler may take the next epoch at once.

        Raises Superseded when `epoch` is not the current one.
        """
        ...

    def load(self) -> Loaded: ...

    def commit(self, epoch: int, changes: Sequence[Change]) -> None:
        """Write all of `changes`, in their order, or nothing; on disk when it returns.

        Raises Superseded, and writes nothing, when `epoch` is not the current one; ValueError, and
        writes nothing, when the changes contradict the rows or hold what cannot be stored (a row
        that is not there, one that is there already, NaN): a defect of the caller.
        """
        ...

    def finished(self, before: float, limit: int, keep: Collection[JobId]) -> list[FinishedJob]:
        """At most `limit` jobs that ended before then (seconds since 1970), the oldest first.

        Those of `keep` are passed over, and those that still have an attempt that has not ended.
        """
        ...

    def remove(self, epoch: int, job_ids: Sequence[JobId]) -> None:
        """Remove all rows of finished jobs, in one transaction. One that is not there is no error.

        Raises Superseded as `commit` does, and ValueError, having removed nothing, when one of
        them has not ended.
        """
        ...

    def inputs(self, task_ids: Iterable[TaskId]) -> dict[TaskId, TaskInput]: ...

    def job(self, job_id: JobId) -> JobRecord | None: ...

    def jobs(self, query: JobQuery) -> JobPage: ...

    def logs(self, job_id: JobId) -> list[tuple[AttemptId, str]]:
        """The kept log of every ended attempt, oldest first."""
        ...

    def writable(self) -> bool:
        """Whether a write would succeed now. Never raises."""
        ...

    def close(self) -> None: ...
