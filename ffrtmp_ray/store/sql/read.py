"""What callers ask about jobs: one job, a page of a listing, logs. Reads only."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Select, and_, select, union_all

from ffrtmp_ray.core.model import AttemptId, JobId, JobState, Queue
from ffrtmp_ray.store.protocol import MAX_PAGE, JobPage, JobQuery, JobRecord, StoredJob
from ffrtmp_ray.store.sql.rows import ATTEMPTS, JOBS, TASKS, TRANSITIONS
from ffrtmp_ray.store.sql.tables import attempts, jobs, tasks, transitions


def job(connection: Connection, job_id: JobId) -> JobRecord | None:
    row = connection.execute(select(*JOBS.columns, jobs.c.spec).where(jobs.c.id == job_id)).first()
    if row is None:
        return None
    task_rows = connection.execute(
        select(*TASKS.columns, tasks.c.result).where(tasks.c.job_id == job_id).order_by(tasks.c.seq)
    ).all()
    attempt_rows = connection.execute(
        select(*ATTEMPTS.columns).where(attempts.c.job_id == job_id).order_by(attempts.c.seq)
    ).all()
    transition_rows = connection.execute(
        select(*TRANSITIONS.columns)
        .where(transitions.c.job_id == job_id)
        .order_by(transitions.c.seq)
    ).all()
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
    rows = connection.execute(_page(query, limit + 1)).all()
    stored = tuple(
        StoredJob(each, row.spec) for each, row in zip(JOBS.values(rows), rows, strict=True)
    )
    more = len(stored) > limit
    return JobPage(stored[:limit], next_before=stored[limit - 1].job.order if more else None)


def logs(connection: Connection, job_id: JobId) -> list[tuple[AttemptId, str]]:
    rows = connection.execute(
        select(attempts.c.id, attempts.c.log)
        .where(attempts.c.job_id == job_id, attempts.c.log.is_not(None))
        .order_by(attempts.c.seq)
    )
    return [(row.id, row.log) for row in rows]


def _page(query: JobQuery, limit: int) -> Select[tuple[object, ...]]:
    """The newest `limit` jobs that `query` lets pass.

    A filter that is left open stands for each of its values. So every combination of a state and
    a queue is one range of an index that is ordered by `order`: its newest are read, and the
    newest of those kept. However many jobs there are, and however rare the wanted ones, at most
    24 ranges of `limit` index entries are read.
    """
    listing = select(*JOBS.columns, jobs.c.spec).order_by(jobs.c.order.desc())
    if not (query.states or query.queues or query.owner is not None):
        return listing.where(_before(query)).limit(limit)
    ranges = [
        select(
            select(jobs.c.order)
            .where(_before(query), _range(query.owner, state, queue))
            .order_by(jobs.c.order.desc())
            .limit(limit)
            .subquery()
        )
        for state in dict.fromkeys(query.states or JobState)
        for queue in dict.fromkeys(query.queues or Queue)
    ]
    newest = union_all(*ranges).subquery()
    wanted = select(newest.c.order).order_by(newest.c.order.desc()).limit(limit)
    return listing.where(jobs.c.order.in_(wanted))


def _range(owner: str | None, state: JobState, queue: Queue) -> ColumnElement[bool]:
    here = and_(jobs.c.state == state, jobs.c.queue == queue)
    return here if owner is None else and_(here, jobs.c.owner == owner)


def _before(query: JobQuery) -> ColumnElement[bool]:
    # Always a condition, so that each form of the query is one prepared statement.
    before = query.before if query.before is not None else 2**62
    return jobs.c.order < before
