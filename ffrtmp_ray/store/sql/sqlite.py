"""What is SQLite's own: how its connections are prepared and its transactions begin."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, event

BUSY_SECONDS = 5.0
"""How long SQLite waits for another writer: well below the ten seconds of a takeover."""

REMEDY = "check that the file and its folder can be written, and that the disk is not full"


def prepare(engine: Engine) -> None:
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)


def for_writing(engine: Engine) -> Engine:
    """Transactions that take the write lock when they begin, not later, when a snapshot that has
    grown old could no longer be written to."""
    return engine.execution_options(ffrtmp_writes=True)


def file_of(url: URL) -> Path | None:
    """The file of the database; None where `url` is not one of SQLite, or names it as a URI."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith("file:"):
        return None
    return Path(url.database)


def _prepare(connection: Any, _record: Any) -> None:
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


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("ffrtmp_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
