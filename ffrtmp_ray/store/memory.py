"""A store in memory: the shipped fake, for tests of what is built on a store.

It does what the others do, epochs and refusals included, and keeps nothing on disk.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from ffrtmp_ray.core.messages import Change, JobTransitioned
from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Document,
    Job,
    JobId,
    Shares,
    Snapshot,
    Task,
    TaskId,
    Worker,
    WorkerId,
)
from ffrtmp_ray.errors import StoreUnavailable
from ffrtmp_ray.store.batch import Batch, encode, fold, with_labels
from ffrtmp_ray.store.claim import Claim, next_epoch, superseded
from ffrtmp_ray.store.protocol import (
    MAX_PAGE,
    FinishedJob,
    JobPage,
    JobQuery,
    JobRecord,
    Loaded,
    StoredJob,
    TaskInput,
)


def _always(_changes: Sequence[Change]) -> None:
    """The hook of a store in which every commit succeeds."""


@dataclass(slots=True)
class Rows:
    """What survives a scheduler. Documents are kept as JSON text, so nobody changes them later."""

    claim: Claim = field(default_factory=Claim)
    jobs: dict[JobId, Job] = field(default_factory=dict)
    specs: dict[JobId, str] = field(default_factory=dict)
    tasks: dict[TaskId, Task] = field(default_factory=dict)
    payloads: dict[TaskId, str] = field(default_factory=dict)
    results: dict[TaskId, str] = field(default_factory=dict)
    attempts: dict[AttemptId, Attempt] = field(default_factory=dict)
    logs: dict[AttemptId, str] = field(default_factory=dict)
    workers: dict[WorkerId, Worker] = field(default_factory=dict)
    transitions: list[JobTransitioned] = field(default_factory=list)
    last_order: int = 0
    last_time: float = 0.0
    shares: Shares = field(default_factory=Shares)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def remove(self, job_ids: Collection[JobId]) -> None:
        """All that there is of these jobs."""
        tasks = [each.id for each in self.tasks.values() if each.job_id in job_ids]
        attempts = [each.id for each in self.attempts.values() if each.job_id in job_ids]
        for keys, tables in (
            (job_ids, (self.jobs, self.specs)),
            (tasks, (self.tasks, self.payloads, self.results)),
            (attempts, (self.attempts, self.logs)),
        ):
            for table in tables:
                for key in keys:
                    table.pop(key, None)
        self.transitions = [each for each in self.transitions if each.job_id not in job_ids]


class MemoryStore:
    """A Store (see `store.protocol`). Two of the same `rows` are two schedulers of one database.

    `before_commit` is called with the changes of every commit before anything is written, and
    with none by `writable`; what it raises is raised by the commit, which then writes nothing.
    """

    def __init__(
        self,
        rows: Rows | None = None,
        *,
        takeover_seconds: float = 10.0,
        before_commit: Callable[[Sequence[Change]], None] = _always,
    ) -> None:
        self._rows = Rows() if rows is None else rows
        self._takeover_seconds = takeover_seconds
        self._before_commit = before_commit

    def take_epoch(self, holder: str, version: str) -> int:
        del version  # there is one schema: this program's own
        rows, now = self._rows, time.time()
        with rows.lock:
            epoch = next_epoch(rows.claim, holder, now, self._takeover_seconds)
            rows.claim = Claim(epoch, holder, seen_at=now)
            return epoch

    def seen(self, epoch: int, shares: Shares | None = None) -> None:
        with self._rows.lock:
            self._renew(epoch)
            if shares is not None:
                self._rows.shares = shares

    def release(self, epoch: int) -> None:
        with self._rows.lock:
            self._renew(epoch)
            self._rows.claim = replace(self._rows.claim, holder="")

    def load(self) -> Loaded:
        rows = self._rows
        with rows.lock:
            jobs = tuple(job for job in rows.jobs.values() if not job.state.terminal)
            unfinished = {job.id for job in jobs}
            attempts = tuple(each for each in rows.attempts.values() if each.ended_at is None)
            stopping = {attempt.task_id for attempt in attempts}
            tasks = rows.tasks.values()
            return Loaded(
                snapshot=Snapshot(
                    jobs=tuple(sorted(jobs, key=lambda job: job.order)),
                    tasks=(
                        *(task for task in tasks if task.job_id in unfinished),
                        *(t for t in tasks if t.id in stopping and t.job_id not in unfinished),
                    ),
                    attempts=attempts,
                    workers=tuple(sorted(rows.workers.values(), key=lambda worker: worker.id)),
                    shares=rows.shares,
                ),
                last_order=rows.last_order,
                last_time=rows.last_time,
                counts=dict(Counter(job.state for job in rows.jobs.values())),
            )

    def commit(self, epoch: int, changes: Sequence[Change]) -> None:
        batch = fold(changes)
        with self._rows.lock:
            self._before_commit(changes)
            self._renew(epoch)
            _check(self._rows, batch)
            _write(self._rows, batch)

    def finished(self, before: float, limit: int, keep: Collection[JobId]) -> list[FinishedJob]:
        rows = self._rows
        with rows.lock:
            ended = [
                (job.finished_at, job.id)
                for job in rows.jobs.values()
                if job.finished_at is not None and job.finished_at < before and job.id not in keep
            ]
            tries: dict[JobId, list[Attempt]] = {job_id: [] for _, job_id in sorted(ended)}
            for attempt in rows.attempts.values():
                if attempt.job_id in tries:
                    tries[attempt.job_id].append(attempt)
            return [
                FinishedJob(job_id, frozenset(each.id for each in attempts))
                for job_id, attempts in tries.items()
                if all(each.ended_at is not None for each in attempts)
            ][:limit]

    def remove(self, epoch: int, job_ids: Sequence[JobId]) -> None:
        rows, gone = self._rows, set(job_ids)
        with rows.lock:
            self._before_commit(())
            self._renew(epoch)
            for job_id in gone & rows.jobs.keys():
                if not rows.jobs[job_id].state.terminal:
                    raise ValueError(f"{job_id} has not ended: it is not removed")
            rows.remove(gone)

    def inputs(self, task_ids: Iterable[TaskId]) -> dict[TaskId, TaskInput]:
        rows = self._rows
        with rows.lock:
            return {
                task_id: TaskInput(
                    payload=json.loads(rows.payloads[task_id]),
                    results={
                        rows.tasks[each].name: json.loads(rows.results[each])
                        for each in rows.tasks[task_id].waits_for
                        if each in rows.results
                    },
                )
                for task_id in task_ids
                if task_id in rows.tasks
            }

    def job(self, job_id: JobId) -> JobRecord | None:
        rows = self._rows
        with rows.lock:
            if job_id not in rows.jobs:
                return None
            tasks = tuple(task for task in rows.tasks.values() if task.job_id == job_id)
            return JobRecord(
                job=rows.jobs[job_id],
                spec=json.loads(rows.specs[job_id]),
                tasks=tasks,
                results={
                    task.id: json.loads(rows.results[task.id])
                    for task in tasks
                    if task.id in rows.results
                },
                attempts=tuple(each for each in rows.attempts.values() if each.job_id == job_id),
                transitions=tuple(each for each in rows.transitions if each.job_id == job_id),
            )

    def jobs(self, query: JobQuery) -> JobPage:
        limit = max(1, min(query.limit, MAX_PAGE))
        with self._rows.lock:
            found = sorted(
                (job for job in self._rows.jobs.values() if _passes(job, query)),
                key=lambda job: job.order,
                reverse=True,
            )
            page = tuple(
                StoredJob(job, json.loads(self._rows.specs[job.id])) for job in found[:limit]
            )
        return JobPage(page, next_before=page[-1].job.order if len(found) > limit else None)

    def logs(self, job_id: JobId) -> list[tuple[AttemptId, str]]:
        rows = self._rows
        with rows.lock:
            return [
                (attempt.id, rows.logs[attempt.id])
                for attempt in rows.attempts.values()
                if attempt.job_id == job_id and attempt.id in rows.logs
            ]

    def writable(self) -> bool:
        with suppress(StoreUnavailable):
            self._before_commit(())
            return True
        return False

    def close(self) -> None:
        """The rows stay, as those of a database do."""

    def _renew(self, epoch: int) -> None:
        if epoch != self._rows.claim.epoch:
            raise superseded(epoch, self._rows.claim.epoch)
        self._rows.claim = replace(self._rows.claim, seen_at=time.time())


def _passes(job: Job, query: JobQuery) -> bool:
    return (
        (not query.states or job.state in query.states)
        and (not query.queues or job.queue in query.queues)
        and (query.owner is None or job.owner == query.owner)
        and (query.before is None or job.order < query.before)
    )


def _check(rows: Rows, batch: Batch) -> None:
    """Raises ValueError for what the keys of a database would refuse."""
    jobs = rows.jobs.keys() | batch.jobs_added.keys()
    tasks = rows.tasks.keys() | batch.tasks_added.keys()
    attempts = rows.attempts.keys() | batch.attempts_added.keys()
    workers = (rows.workers.keys() - batch.workers_removed) | batch.workers_added.keys()
    new_attempts = batch.attempts_added.values()
    needed: tuple[tuple[str, Iterable[str], Any], ...] = (
        ("job", (*batch.jobs_changed, *batch.labels), jobs),
        ("job", (task.job_id for task in batch.tasks_added.values()), jobs),
        ("job", (attempt.job_id for attempt in new_attempts), jobs),
        ("job", (transition.job_id for transition in batch.transitions), jobs),
        ("task", (*batch.tasks_changed, *batch.results), tasks),
        ("task", (attempt.task_id for attempt in new_attempts), tasks),
        ("attempt", batch.attempts_changed, attempts),
        ("worker", batch.workers_changed, workers),
    )
    for what, keys, known in needed:
        for key in keys:
            if key not in known:
                raise ValueError(f"there is no {what} {key}")
    orders = {job.order for job in rows.jobs.values()}
    new_orders = [job.order for job in batch.jobs_added.values()]
    if len(set(new_orders)) < len(new_orders) or not orders.isdisjoint(new_orders):
        raise ValueError("two jobs have the same order")
    for added, present in (
        (batch.jobs_added, rows.jobs),
        (batch.tasks_added, rows.tasks),
        (batch.attempts_added, rows.attempts),
        (batch.workers_added, rows.workers),
    ):
        if twice := added.keys() & present.keys():
            raise ValueError(f"{min(twice)} is there already")


def _write(rows: Rows, batch: Batch) -> None:
    # First what may fail: a document that is no JSON.
    specs, payloads, results = map(_texts, (batch.specs, batch.payloads, batch.results))
    for job_id, labels in batch.labels.items():
        spec = json.loads(specs.get(job_id) or rows.specs[job_id])
        specs[job_id] = encode(with_labels(spec, labels))
    rows.jobs |= batch.jobs_added | batch.jobs_changed
    rows.specs |= specs
    rows.tasks |= batch.tasks_added | batch.tasks_changed
    rows.payloads |= payloads
    rows.results |= results
    rows.attempts |= batch.attempts_added | batch.attempts_changed
    rows.logs |= batch.logs
    for worker_id in batch.workers_removed:
        rows.workers.pop(worker_id, None)
    rows.workers |= batch.workers_added | batch.workers_changed
    rows.transitions += batch.transitions
    rows.last_order = max(rows.last_order, batch.last_order)
    rows.last_time = max(rows.last_time, batch.last_time)


def _texts(documents: dict[str, Document]) -> dict[str, str]:
    return {key: encode(document) for key, document in documents.items()}
