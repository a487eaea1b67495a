"""What a scheduler starts from, and what it hands to workers. Reads only."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from msgspec import convert
from sqlalchemy import Connection, func, select

from ffrtmp_ray.core.model import Attempt, JobState, Shares, Snapshot, Task, TaskId
from ffrtmp_ray.store.protocol import Loaded, TaskInput
from ffrtmp_ray.store.sql.rows import ATTEMPTS, JOBS, TASKS, WORKERS, portions
from ffrtmp_ray.store.sql.tables import attempts, jobs, scheduler, tasks, workers

_UNFINISHED = tuple(state for state in JobState if not state.terminal)


@contextmanager
def collector_paused() -> Iterator[None]:
    """For `load`, which makes millions of objects and no garbage: with 100,000 unfinished jobs,
    looking for garbage meanwhile takes longer than the load itself."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def load(connection: Connection) -> Loaded:
    unfinished = jobs.c.state.in_(_UNFINISHED)
    stored_jobs = JOBS.select(
        connection, select(*JOBS.columns).where(unfinished).order_by(jobs.c.order)
    )
    stored_tasks = TASKS.select(
        connection,
        select(*TASKS.columns)
        .join_from(jobs, tasks, tasks.c.job_id == jobs.c.id)
        .where(unfinished)
        .order_by(tasks.c.seq),
    )
    open_attempts = ATTEMPTS.select(
        connection,
        select(*ATTEMPTS.columns).where(attempts.c.ended_at.is_(None)).order_by(attempts.c.seq),
    )
    stopping = _tasks_of_finished_jobs(connection, stored_tasks, open_attempts)
    counts = connection.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state))
    last = connection.execute(
        select(scheduler.c.last_order, scheduler.c.last_time, scheduler.c.shares)
    ).one()
    return Loaded(
        snapshot=Snapshot(
            jobs=tuple(stored_jobs),
            tasks=(*stored_tasks, *stopping),
            attempts=tuple(open_attempts),
            workers=tuple(
                WORKERS.values(
                    connection.execute(select(*WORKERS.columns).order_by(workers.c.id)).all()
                )
            ),
            shares=convert(last.shares or {}, Shares),
        ),
        last_order=last.last_order,
        last_time=last.last_time,
        counts={JobState(state): count for state, count in counts},
    )


def inputs(connection: Connection, task_ids: Iterable[TaskId]) -> dict[TaskId, TaskInput]:
    waits_for: dict[TaskId, list[TaskId]] = {}
    found: dict[TaskId, TaskInput] = {}
    for ids in portions(task_ids):
        statement = select(tasks.c.id, tasks.c.payload, tasks.c.waits_for)
        for row in connection.execute(statement.where(tasks.c.id.in_(ids))):
            waits_for[row.id] = row.waits_for
            found[row.id] = TaskInput(payload=row.payload)
    results = {}
    for ids in portions(each for others in waits_for.values() for each in others):
        statement = select(tasks.c.id, tasks.c.name, tasks.c.result)
        for row in connection.execute(statement.where(tasks.c.id.in_(ids))):
            if row.result is not None:
                results[row.id] = (row.name, row.result)
    for task_id, others in waits_for.items():
        found[task_id].results.update(results[each] for each in others if each in results)
    return found


def _tasks_of_finished_jobs(
    connection: Connection, loaded: Sequence[Task], open_attempts: Sequence[Attempt]
) -> list[Task]:
    """Tasks that still hold a worker's resources though their job has ended."""
    known = {task.id for task in loaded}
    missing = (attempt.task_id for attempt in open_attempts if attempt.task_id not in known)
    found: list[Task] = []
    for ids in portions(missing):
        statement = select(*TASKS.columns).where(tasks.c.id.in_(ids)).order_by(tasks.c.seq)
        found += TASKS.values(connection.execute(statement).all())
    return found
