"""What callers ask about jobs: one job, a page of a listing, logs. Reads only.

Statements are made once and kept: to put one together takes SQLAlchemy longer than the database
takes to answer it.
"""

from __future__ import annotations

from functools import lru_cache

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    select,
    union_all,
)

from ffrtmp_ray.core.model import AttemptId, JobId, JobState, Queue
from ffrtmp_ray.store.protocol import MAX_PAGE, JobPage, JobQuery, JobRecord, StoredJob
from ffrtmp_ray.store.sql.rows import ATTEMPTS, JOBS, TASKS, TRANSITIONS
from ffrtmp_ray.store.sql.tables import attempts, jobs, tasks, transitions

KEPT = 256
"""Statements of listings that are kept; filters and pages' lengths make as many as callers like."""

_THIS: BindParameter[str] = bindparam("job_id")
_BEFORE: BindParameter[int] = bindparam("before")
_JOB = select(*JOBS.columns, jobs.c.spec).where(jobs.c.id == _THIS)
_TASKS = select(*TASKS.columns, tasks.c.result).where(tasks.c.job_id == _THIS).order_by(tasks.c.seq)
_ATTEMPTS = select(*ATTEMPTS.columns).where(attempts.c.job_id == _THIS).order_by(attempts.c.seq)
_TRANSITIONS = (
    select(*TRANSITIONS.columns).where(transitions.c.job_id == _THIS).order_by(transitions.c.seq)
)
_LOGS = (
    select(attempts.c.id, attempts.c.log)
    .where(attempts.c.job_id == _THIS, attempts.c.log.is_not(None))
    .order_by(attempts.c.seq)
)


def job(connection: Connection, job_id: JobId) -> JobRecord | None:
    this = {"job_id": job_id}
    row = connection.execute(_JOB, this).first()
    if row is None:
        return None
    task_rows = connection.execute(_TASKS, this).all()
    attempt_rows = connection.execute(_ATTEMPTS, this).all()
    transition_rows = connection.execute(_TRANSITIONS, this).all()
    return JobRecord(
        job=JOBS.values([row])[0],
        spec=row.spec,
        tasks=tuple(TASKS.values(task_rows)),
        results={row.id: row.result for row in task_rows if row.result is not None},
        attempts=tuple(ATTEMPTS.values(attempt_rows)),
        transitions=tuple(TRANSITIONS.values(transition_rows)),
    )


def page(connection: Connection, query: JobQuery) -> JobPage:
    limit = max(1, min(query.limit, MAX_PAGE))
    owned = query.owner is not None
    statement = _page(frozenset(query.states), frozenset(query.queues), owned, limit + 1)
    # Always a condition, so that each form of the query is one prepared statement.
    before = query.before if query.before is not None else 2**62
    rows = connection.execute(statement, {"before": before, "owner": query.owner}).all()
    stored = tuple(
        StoredJob(each, row.spec) for each, row in zip(JOBS.values(rows), rows, strict=True)
    )
    more = len(stored) > limit
    return JobPage(stored[:limit], next_before=stored[limit - 1].job.order if more else None)


def logs(connection: Connection, job_id: JobId) -> list[tuple[AttemptId, str]]:
    rows = connection.execute(_LOGS, {"job_id": job_id})
    return [(row.id, row.log) for row in rows]


@lru_cache(KEPT)
def _page(
    states: frozenset[JobState], queues: frozenset[Queue], owned: bool, limit: int
) -> Select[tuple[object, ...]]:
    """The newest `limit` jobs that the filters let pass, `owned` by the parameter `owner`.

    A filter that is left open stands for each of its values. So every combination of a state and
    a queue is one range of an index that is ordered by `order`: its newest are read, and the
    newest of those kept. However many jobs there are, and however rare the wanted ones, at most
    24 ranges of `limit` index entries are read.
    """
    listing = select(*JOBS.columns, jobs.c.spec).order_by(jobs.c.order.desc())
    if not (states or queues or owned):
        return listing.where(jobs.c.order < _BEFORE).limit(limit)
    ranges = [
        select(
            select(jobs.c.order)
            .where(jobs.c.order < _BEFORE, _range(owned, state, queue))
            .order_by(jobs.c.order.desc())
            .limit(limit)
            .subquery()
        )
        for state in sorted(states or JobState)
        for queue in sorted(queues or Queue)
    ]
    newest = union_all(*ranges).subquery()
    wanted = select(newest.c.order).order_by(newest.c.order.desc()).limit(limit)
    return listing.where(jobs.c.order.in_(wanted))


def _range(owned: bool, state: JobState, queue: Queue) -> ColumnElement[bool]:
    here = and_(jobs.c.state == state, jobs.c.queue == queue)
    return and_(here, jobs.c.owner == bindparam("owner")) if owned else here
