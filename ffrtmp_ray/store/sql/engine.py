"""Connections: how each kind of database is opened, and what its errors become.

Knows nothing of tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Connection, Engine, QueuePool, event
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from ffrtmp_ray.errors import InvalidRequest, StoreUnavailable
from ffrtmp_ray.store.batch import encode

BUSY_SECONDS = 5.0
"""How long SQLite waits for another writer: well below the ten seconds of a takeover."""

_SQLITE_REMEDY = "check that the file and its folder can be written, and that the disk is not full"
_SERVER_REMEDY = "check that the database server runs, can be reached and accepts this user"


class database_clock(FunctionElement[float]):  # noqa: N801  # reads as the SQL function it is
    """Seconds since 1970 by the clock of the database, which all its clients share."""

    type = sqlalchemy.Double()
    inherit_cache = True


@compiles(database_clock, "sqlite")
def _sqlite_clock(_element: Any, _compiler: Any, **_: Any) -> str:
    # unixepoch('subsec') came with SQLite 3.42 only; 2440587.5 is the Julian day of 1970-01-01.
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(database_clock, "postgresql")
def _postgresql_clock(_element: Any, _compiler: Any, **_: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


def parse_url(url: str) -> URL:
    """Raises InvalidRequest when `url` is no database URL, or names a database that forgets."""
    try:
        parsed = sqlalchemy.make_url(url)
    except ArgumentError as error:
        raise InvalidRequest(
            "this is no database URL",
            where="database",
            remedy="it looks like sqlite:////var/lib/ffrtmp/ffrtmp.db",
        ) from error
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise InvalidRequest(
            "a SQLite database in memory forgets every job when the process ends",
            where="database",
            remedy="name a file, as in sqlite:////var/lib/ffrtmp/ffrtmp.db",
        )
    return parsed


def place(url: URL) -> str:
    """`url` for people: without its password, and without options, which may hold one."""
    return url.set(query={}).render_as_string(hide_password=True)


def create_engine(url: URL) -> Engine:
    """An engine that opens nothing yet.

    Its pool is a QueuePool for SQLite too: a connection is lent to one thread at a time, so the
    writer and the readers never share one, and it stays open with its pragmas and its prepared
    statements. In WAL mode readers neither wait for the writer nor hold it up.
    """
    try:
        engine = sqlalchemy.create_engine(
            url,
            poolclass=QueuePool,
            json_serializer=encode,
            hide_parameters=True,  # errors go to logs, and what users ask for does not
        )
    except (ArgumentError, ImportError) as error:
        raise InvalidRequest(
            f"no driver for {url.drivername} is installed", where="database"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def for_writing(engine: Engine) -> Engine:
    """The same pool; transactions that take SQLite's write lock when they begin, not later,
    when a snapshot that has grown old could no longer be written to."""
    return engine.execution_options(ffrtmp_writes=True)


def make_folder(url: URL) -> None:
    """Creates the folder of a SQLite file. Raises StoreUnavailable when that cannot be done."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith("file:"):
        return
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unavailable(url, f"the folder {folder} cannot be made: {error.strerror}") from error


@contextmanager
def reaching(url: URL) -> Iterator[None]:
    """Turns the driver's errors into ours.

    Raises StoreUnavailable when the database does not answer or cannot be written, and ValueError
    when what was given to it cannot be stored: a defect of the caller.
    """
    try:
        yield
    except (IntegrityError, DataError) as error:
        raise ValueError(f"this contradicts what is stored: {error.orig}") from error
    except DBAPIError as error:
        raise _unavailable(url, str(error.orig)) from error
    except StatementError as error:
        # Not from the driver: a parameter could not be turned into what the driver takes.
        raise ValueError(f"this cannot be stored: {error.orig}") from error
    except SQLAlchemyError as error:
        raise _unavailable(url, str(error)) from error


def _unavailable(url: URL, reason: str) -> StoreUnavailable:
    remedy = _SQLITE_REMEDY if url.get_backend_name() == "sqlite" else _SERVER_REMEDY
    return StoreUnavailable(
        f"the database cannot be used: {reason}", where=place(url), remedy=remedy
    )


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by rules of its own, and not for DDL; we begin them.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA journal_mode = WAL")
        # FULL: in WAL mode, NORMAL would let a power cut take transactions that were committed.
        cursor.execute("PRAGMA synchronous = FULL")
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("ffrtmp_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
