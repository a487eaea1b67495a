"""A copy of a SQLite database as one file, while the scheduler goes on writing.

PostgreSQL has programs of its own for that.
"""

from __future__ import annotations

import os
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from ffrtmp_ray.errors import InvalidRequest, OutputExists, StoreUnavailable
from ffrtmp_ray.store.sql import sqlite
from ffrtmp_ray.store.sql.engine import parse_url, place


def backup(url: str, target: Path) -> int:
    """Copy the database at `url` to `target`, as it is at one moment; return its size in bytes.

    The copy has been checked and is on disk when it gets its name. Raises OutputExists when there
    is a `target` already, InvalidRequest for a database that is not a file of SQLite or
    a folder that is not there, and StoreUnavailable when it cannot be read or the copy cannot be
    written.
    """
    source = _file_of(url)
    if os.path.lexists(target):
        raise _exists(target)
    if not source.is_file():
        raise StoreUnavailable(
            "there is no database", where=str(source), remedy="see FFRTMP_DATABASE"
        )
    if not target.parent.is_dir():
        raise InvalidRequest(
            "there is no such folder", where=str(target.parent), remedy="make it, or choose another"
        )
    part = target.with_name(f".{target.name}-{uuid.uuid4().hex[:8]}.part")
    try:
        _copy(source, part)
        _sync(part)
        os.link(part, target)  # other than a rename, it never replaces
        _sync(target.parent)
        return target.stat().st_size
    except FileExistsError:
        raise _exists(target) from None
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(f"the copy was not made: {error}", where=str(target)) from error
    finally:
        part.unlink(missing_ok=True)


def _file_of(url: str) -> Path:
    parsed = parse_url(url)
    file = sqlite.file_of(parsed)
    if file is None:
        raise InvalidRequest(
            "only a file of SQLite is copied",
            where=place(parsed),
            remedy="for PostgreSQL: pg_dump --format=custom --file=FILE postgresql://…",
        )
    return file


def _copy(source: Path, part: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{quote(str(source))}?mode=ro", uri=True)) as database,
        closing(sqlite3.connect(part)) as copy,
    ):
        # In one step: else the copying would begin anew whenever the scheduler has committed.
        # In WAL mode, it holds nobody up meanwhile.
        database.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode = DELETE")  # the copy is this one file
        (verdict,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(f"it is damaged: {verdict}")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exists(target: Path) -> OutputExists:
    return OutputExists(
        "something is already there", where=str(target), remedy="name another file, or move it away"
    )
