"""Connections: how each kind of database is opened, and what its errors become.

Knows nothing of tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from sqlalchemy import URL, Engine, QueuePool
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
from ffrtmp_ray.store.sql import postgresql, sqlite

_LIKE = "it looks like sqlite:////var/lib/ffrtmp/ffrtmp.db, or postgresql://user@db.example/ffrtmp"


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
    """Raises InvalidRequest when `url` is no URL of SQLite or PostgreSQL, or names a database that
    forgets."""
    try:
        parsed = postgresql.with_driver(sqlalchemy.make_url(url))
    except ArgumentError as error:
        raise InvalidRequest("this is no database URL", where="database", remedy=_LIKE) from error
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise InvalidRequest(
            f"{parsed.get_backend_name()} is neither SQLite nor PostgreSQL",
            where="database",
            remedy=_LIKE,
        )
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
    writer and the readers never share one, and it stays open with its settings and its prepared
    statements. In neither database do readers wait for the writer or hold it up.
    """
    sqlite_file = url.get_backend_name() == "sqlite"
    try:
        engine = sqlalchemy.create_engine(
            url,
            poolclass=QueuePool,
            json_serializer=encode,
            hide_parameters=True,  # errors go to logs, and what users ask for does not
            **({} if sqlite_file else postgresql.arguments(url)),
        )
    except (ArgumentError, ImportError) as error:
        raise InvalidRequest(
            f"no driver for {url.drivername} is installed", where="database"
        ) from error
    (sqlite if sqlite_file else postgresql).prepare(engine)
    return engine


def for_writing(engine: Engine) -> Engine:
    """The same pool, for transactions that write."""
    return sqlite.for_writing(engine) if engine.dialect.name == "sqlite" else engine


def for_reading(engine: Engine) -> Engine:
    """The same pool, for transactions that see one state of the rows, whoever writes meanwhile."""
    return engine if engine.dialect.name == "sqlite" else postgresql.for_reading(engine)


def make_folder(url: URL) -> None:
    """Creates the folder of a SQLite file. Raises StoreUnavailable when that cannot be done."""
    file = sqlite.file_of(url)
    if file is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = f"the folder {file.parent} cannot be made: {error.strerror}"
        raise _unavailable(url, reason) from error


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
    remedy = sqlite.REMEDY if url.get_backend_name() == "sqlite" else postgresql.REMEDY
    return StoreUnavailable(
        f"the database cannot be used: {reason}", where=place(url), remedy=remedy
    )
