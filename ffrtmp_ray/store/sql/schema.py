"""The version of the schema that the statements here are for, and refusing to work with another.

Apart from the migrations and without Alembic, which takes a third of a second to load: a scheduler
that is started again has none to give.
"""

from __future__ import annotations

from sqlalchemy import Connection, column, inspect, select, table

from ffrtmp_ray.errors import SchemaMismatch

REVISION = "0002"
"""The newest of `migrations/versions`."""

_VERSIONS = table("alembic_version", column("version_num"))
"""Alembic's own record of the version that a database has."""


def check_schema(connection: Connection, where: str) -> None:
    """Raises SchemaMismatch when the database is not at `REVISION`."""
    found = None
    if inspect(connection).has_table(_VERSIONS.name):
        found = connection.execute(select(_VERSIONS.c.version_num)).scalar()
    if found != REVISION:
        raise SchemaMismatch(
            f"the schema is at version {found or 'none'}; this version works with {REVISION}",
            where=where,
            remedy="run `ffrtmp up`, which migrates it",
        )
