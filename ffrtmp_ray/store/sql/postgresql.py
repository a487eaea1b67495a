"""What is PostgreSQL's own: its driver, how long its connections wait, and its transactions.

PostgreSQL is reached through psycopg 3 alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import URL, Connection, Engine, Table, event

from ffrtmp_ray.store.batch import encode

REMEDY = "check that the database server runs, can be reached and accepts this user"

_LOCK_SECONDS = 5
"""How long a statement waits for a lock: well below the ten seconds of a takeover."""
_IDLE_SECONDS = 10
"""After which the server ends a transaction whose client says nothing, so that a scheduler that
hangs, or whose machine is gone, does not keep the scheduler's row locked."""
_NETWORK = {
    "connect_timeout": 5,
    # Seconds: a server that has gone without a word is noticed in about ten.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
_MIGRATING = 0x66667274
"""The key of the lock that whoever migrates holds; any number that other programs do not use."""


def with_driver(url: URL) -> URL:
    """`url` with psycopg as its driver, where it names PostgreSQL and no driver."""
    if url.drivername in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    return url


def arguments(url: URL) -> dict[str, Any]:
    """Of `sqlalchemy.create_engine`."""
    return {
        # A server that was started again has closed its connections: they are tried before use.
        "pool_pre_ping": True,
        "connect_args": {key: value for key, value in _NETWORK.items() if key not in url.query},
    }


def prepare(engine: Engine) -> None:
    event.listen(engine, "connect", _prepare)


def for_reading(engine: Engine) -> Engine:
    """Transactions whose statements all see the rows as they were at the first of them."""
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def wait_for_other_migrations(connection: Connection) -> None:
    """Two that migrate at once would both make the tables; the lock goes with the transaction."""
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATING})")


def insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Insert `rows`, which all have the same columns, as one JSON document: the driver takes a
    third of the CPU for it that it takes for a message for each row.

    Returns False, and does nothing, when a text has a NUL, which is no text in PostgreSQL.
    """
    document = encode(rows)
    if "\\u0000" in document:
        return False
    names = ", ".join(f'"{name}"' for name in rows[0])
    connection.exec_driver_sql(
        f"INSERT INTO {table.name} ({names}) SELECT {names} "  # noqa: S608 - our own names
        f"FROM json_populate_recordset(NULL::{table.name}, %(rows)s::json)",
        {"rows": document},
    )
    return True


def _prepare(connection: Any, _record: Any) -> None:
    connection.execute(
        f"SET lock_timeout = '{_LOCK_SECONDS}s'; "
        f"SET idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'; "
        # Off, a crash of the server would take what we have said is accepted.
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()  # else they would go with the transaction
