"""Brings a database to this version's schema. The versions are in `migrations/`.

Only `ffrtmp up` migrates; everything else checks (see `schema`).
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from ffrtmp_ray.errors import SchemaMismatch
from ffrtmp_ray.store.sql.engine import (
    create_engine,
    for_writing,
    make_folder,
    parse_url,
    place,
    reaching,
)
from ffrtmp_ray.store.sql.postgresql import wait_for_other_migrations


def migrate(url: str) -> None:
    """Bring the database at `url` to this version's schema, creating it where there is none.

    All in one transaction, so it happens whole or not at all; again does nothing. Raises
    StoreUnavailable, InvalidRequest for a bad URL, and SchemaMismatch for a database of a newer
    version.
    """
    parsed = parse_url(url)
    make_folder(parsed)
    engine = create_engine(parsed)
    try:
        with reaching(parsed), for_writing(engine).begin() as connection:
            if connection.dialect.name == "postgresql":
                wait_for_other_migrations(connection)
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except CommandError as error:
        raise SchemaMismatch(
            f"the schema is of a version that this one does not know: {error}",
            where=place(parsed),
            remedy="install the newer version, or name another database",
        ) from error
    finally:
        engine.dispose()


def head() -> str:
    """The newest revision that there is a migration to."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None, "migrations/versions is empty"  # noqa: S101  # ships with it
    return revision


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "ffrtmp_ray.store.sql:migrations")
    return config
