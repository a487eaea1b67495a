"""The store in a database: each method is one transaction. The statements are in its siblings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import URL, Connection, Engine

from ffrtmp_ray.core.messages import Change
from ffrtmp_ray.core.model import AttemptId, JobId, Shares, TaskId
from ffrtmp_ray.errors import FfrtmpError
from ffrtmp_ray.store.batch import fold
from ffrtmp_ray.store.protocol import (
    FinishedJob,
    JobPage,
    JobQuery,
    JobRecord,
    Loaded,
    TaskInput,
)
from ffrtmp_ray.store.sql import commit, load, read, remove
from ffrtmp_ray.store.sql import epoch as epochs
from ffrtmp_ray.store.sql.engine import create_engine, for_reading, for_writing, place, reaching
from ffrtmp_ray.store.sql.schema import check_schema


class SqlStore:
    """A Store (see `store.protocol`), safe to use from several threads at once.

    Raises SchemaMismatch and StoreUnavailable when it is made.
    """

    def __init__(self, url: URL, *, takeover_seconds: float) -> None:
        self._url = url
        self._takeover_seconds = takeover_seconds
        self._engine = create_engine(url)
        self._writing = for_writing(self._engine)
        self._reading = for_reading(self._engine)
        try:
            with self._transaction(self._reading) as connection:
                self._check_schema(connection)
        except BaseException:
            self.close()
            raise

    def take_epoch(self, holder: str, version: str) -> int:
        with self._transaction(self._writing) as connection:
            self._check_schema(connection)
            return epochs.take(connection, holder, version, self._takeover_seconds)

    def seen(self, epoch: int, shares: Shares | None = None) -> None:
        with self._transaction(self._writing) as connection:
            epochs.renew(connection, epoch, shares=shares)

    def release(self, epoch: int) -> None:
        with self._transaction(self._writing) as connection:
            epochs.release(connection, epoch)

    def load(self) -> Loaded:
        with load.collector_paused(), self._transaction(self._reading) as connection:
            return load.load(connection)

    def commit(self, epoch: int, changes: Sequence[Change]) -> None:
        batch = fold(changes)
        with self._transaction(self._writing) as connection:
            epochs.renew(connection, epoch, batch)
            commit.write(connection, batch)

    def finished(self, before: float, limit: int, keep: Collection[JobId]) -> list[FinishedJob]:
        with self._transaction(self._reading) as connection:
            return remove.finished(connection, before, limit, keep)

    def remove(self, epoch: int, job_ids: Sequence[JobId]) -> None:
        with self._transaction(self._writing) as connection:
            epochs.renew(connection, epoch)
            remove.remove(connection, job_ids)

    def inputs(self, task_ids: Iterable[TaskId]) -> dict[TaskId, TaskInput]:
        with self._transaction(self._reading) as connection:
            return load.inputs(connection, task_ids)

    def job(self, job_id: JobId) -> JobRecord | None:
        with self._transaction(self._reading) as connection:
            return read.job(connection, job_id)

    def jobs(self, query: JobQuery) -> JobPage:
        with self._transaction(self._reading) as connection:
            return read.page(connection, query)

    def logs(self, job_id: JobId) -> list[tuple[AttemptId, str]]:
        with self._transaction(self._reading) as connection:
            return read.logs(connection, job_id)

    def writable(self) -> bool:
        """Commits a write of one row: a write that is rolled back would never meet a full disk."""
        try:
            with self._transaction(self._writing) as connection:
                epochs.try_write(connection)
        except FfrtmpError:
            return False
        return True

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        with reaching(self._url), engine.begin() as connection:
            yield connection

    def _check_schema(self, connection: Connection) -> None:
        check_schema(connection, place(self._url))
