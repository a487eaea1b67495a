"""Writes one batch of changes, a few statements whatever its size. Begins and ends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from ffrtmp_ray.core.model import JobId
from ffrtmp_ray.store.batch import Batch, with_labels
from ffrtmp_ray.store.sql import postgresql
from ffrtmp_ray.store.sql.rows import ATTEMPTS, JOBS, TASKS, TRANSITIONS, WORKERS, Row, portions
from ffrtmp_ray.store.sql.tables import attempts, jobs, tasks, transitions, workers

_FIXED = frozenset({"order", "job_id", "task_id"})
"""Columns that a row keeps for life. Leaving them alone spares the work on their indexes."""


def write(connection: Connection, batch: Batch) -> None:
    """Write `batch`. Raises ValueError when it changes a row that is not there.

    Parents go before children, additions before changes; as each row is in `batch` once, no
    other order matters.
    """
    _insert(connection, jobs, _with(JOBS.rows(batch.jobs_added.values()), "spec", batch.specs))
    _update(connection, jobs, JOBS.rows(batch.jobs_changed.values()))
    _update(connection, jobs, _labelled(connection, batch.labels))
    _insert(
        connection, tasks, _with(TASKS.rows(batch.tasks_added.values()), "payload", batch.payloads)
    )
    _update(connection, tasks, TASKS.rows(batch.tasks_changed.values()))
    _update(connection, tasks, _documents("result", batch.results))
    _insert(connection, attempts, ATTEMPTS.rows(batch.attempts_added.values()))
    _update(connection, attempts, ATTEMPTS.rows(batch.attempts_changed.values()))
    _update(connection, attempts, _documents("log", batch.logs))
    _delete(connection, workers, batch.workers_removed)
    _insert(connection, workers, WORKERS.rows(batch.workers_added.values()))
    _update(connection, workers, WORKERS.rows(batch.workers_changed.values()))
    _insert(connection, transitions, TRANSITIONS.rows(batch.transitions))


def _with(rows: list[Row], column: str, documents: dict[str, Any]) -> list[Row]:
    for row in rows:
        row[column] = documents[row["id"]]
    return rows


def _labelled(connection: Connection, labels: Mapping[JobId, Mapping[str, str]]) -> list[Row]:
    """The specs with their new labels. Nobody else changes them: the scheduler's row is locked."""
    specs: dict[JobId, Any] = {}
    for ids in portions(labels):
        found = connection.execute(select(jobs.c.id, jobs.c.spec).where(jobs.c.id.in_(ids)))
        specs |= {row.id: row.spec for row in found}
    # One that is not there gets a row all the same, which `_update` then misses.
    return _documents(
        "spec", {key: with_labels(specs.get(key, {}), given) for key, given in labels.items()}
    )


def _documents(column: str, documents: dict[str, Any]) -> list[Row]:
    return [{"id": key, column: document} for key, document in documents.items()]


def _insert(connection: Connection, table: Table, rows: list[Row]) -> None:
    if not rows:
        return
    if connection.dialect.name == "postgresql" and postgresql.insert(connection, table, rows):
        return
    connection.execute(insert(table), rows)


def _update(connection: Connection, table: Table, rows: list[Row]) -> None:
    if not rows:
        return
    parameters = [
        {"key" if name == "id" else name: cell for name, cell in row.items() if name not in _FIXED}
        for row in rows
    ]
    statement = update(table).where(table.c.id == bindparam("key"))
    changed = connection.execute(statement, parameters).rowcount
    if changed != len(rows):
        raise ValueError(
            f"of {len(rows)} rows to change in {table.name}, {len(rows) - changed} are not there"
        )


def _delete(connection: Connection, table: Table, keys: Iterable[str]) -> None:
    parameters = [{"key": key} for key in sorted(keys)]
    if parameters:
        connection.execute(delete(table).where(table.c.id == bindparam("key")), parameters)
