"""The store that a database URL names, for whoever needs one."""

from __future__ import annotations

from ffrtmp_ray.store.protocol import Store
from ffrtmp_ray.store.sql.engine import make_folder, parse_url
from ffrtmp_ray.store.sql.store import SqlStore


def open_store(url: str, *, takeover_seconds: float) -> Store:
    """The store at `url` (a SQLAlchemy URL); the folder of a SQLite file is created.

    `takeover_seconds`: how long a scheduler must not have been seen until another may take over.
    Raises InvalidRequest for a bad URL, SchemaMismatch when the database was not migrated to this
    version's schema (`migrate` does that), and StoreUnavailable.
    """
    parsed = parse_url(url)
    make_folder(parsed)
    return SqlStore(parsed, takeover_seconds=takeover_seconds)


def migrate(url: str) -> None:
    """Bring the database at `url` to this version's schema, creating it where there is none.

    All in one transaction, so it happens whole or not at all; again does nothing. Raises
    StoreUnavailable, InvalidRequest for a bad URL, and SchemaMismatch for a database of a newer
    version.
    """
    # Loaded by those who migrate alone: Alembic is slow to load, and a scheduler has no use for it.
    from ffrtmp_ray.store.sql import migrate as migrations

    migrations.migrate(url)
