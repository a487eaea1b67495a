"""Finished jobs that have been kept long enough: which they are, and their removal.

Begins and ends nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, delete, exists, select

from ffrtmp_ray.core.model import JobId, JobState
from ffrtmp_ray.store.protocol import FinishedJob
from ffrtmp_ray.store.sql.rows import portions
from ffrtmp_ray.store.sql.tables import attempts, jobs, tasks, transitions

_UNFINISHED = tuple(state for state in JobState if not state.terminal)


def finished(
    connection: Connection, before: float, limit: int, keep: Collection[JobId]
) -> list[FinishedJob]:
    wanted = _first(connection, before, limit, keep)
    tries: dict[JobId, list[str]] = {job_id: [] for job_id in wanted}
    for ids in portions(wanted):
        statement = select(attempts.c.job_id, attempts.c.id).where(attempts.c.job_id.in_(ids))
        for job_id, attempt_id in connection.execute(statement):
            tries[job_id].append(attempt_id)
    return [FinishedJob(job_id, frozenset(each)) for job_id, each in tries.items()]


def _first(
    connection: Connection, before: float, limit: int, keep: Collection[JobId]
) -> list[JobId]:
    goes_on = exists().where(attempts.c.job_id == jobs.c.id, attempts.c.ended_at.is_(None))
    statement = (
        select(jobs.c.id)
        .where(jobs.c.finished_at < before, ~goes_on)
        .order_by(jobs.c.finished_at)
        .limit(limit + len(keep))  # so many may be passed over
    )
    found = [job_id for job_id in connection.scalars(statement) if job_id not in keep]
    return found[:limit]


def remove(connection: Connection, job_ids: Sequence[JobId]) -> None:
    for ids in portions(job_ids):
        statement = select(jobs.c.id).where(jobs.c.id.in_(ids), jobs.c.state.in_(_UNFINISHED))
        unfinished = connection.scalars(statement).first()
        if unfinished is not None:
            raise ValueError(f"{unfinished} has not ended: it is not removed")
        for table in (transitions, attempts, tasks):  # children go first
            connection.execute(delete(table).where(table.c.job_id.in_(ids)))
        connection.execute(delete(jobs).where(jobs.c.id.in_(ids)))
