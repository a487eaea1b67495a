"""The tables and their indexes: one column for each field of the engine's values.

What a test compares with the migrated schema; the tables themselves are made by `migrations/`.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.engine import Dialect

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

DOCUMENT = JSON(none_as_null=True)
"""None is the database's NULL, never the JSON word `null`. In PostgreSQL it is JSON, not JSONB,
which would refuse some texts (`\\u0000`), make 1e16 an integer and take longer."""


class Words(TypeDecorator[str]):
    """Text from outside. PostgreSQL refuses a NUL in it, for which it gets U+FFFD there."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or dialect.name != "postgresql":
            return value
        return value.replace("\0", "\ufffd")


SEQUENCE = BigInteger().with_variant(Integer, "sqlite")
"""INTEGER PRIMARY KEY is SQLite's own row number, so rows lie on disk in this order."""
SECONDS: Double[float] = Double()
"""Eight bytes in every database: the name REAL would be four in PostgreSQL, 64 s coarse."""

scheduler = Table(
    "scheduler",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("seen_at", SECONDS, nullable=False),  # by the database's clock
    Column("version", Text, nullable=False),
    # Kept here, and not sought in the rows, so that they outlive rows that retention removes.
    Column("last_order", BigInteger, nullable=False),
    Column("last_time", SECONDS, nullable=False),
    Column("shares", DOCUMENT, nullable=True),  # what owners have had; of no one yet where null
    CheckConstraint("id = 1", name="one_row"),
)

canary = Table(
    "canary",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("written_at", SECONDS, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
)
"""What `writable` writes: a row of its own, so that it never waits for the scheduler's."""

jobs = Table(
    "jobs",
    metadata,
    Column("order", SEQUENCE, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("owner", Words, nullable=False),
    Column("queue", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("submitted_at", SECONDS, nullable=False),
    Column("urgent", Boolean, nullable=False),
    Column("preemptible", Boolean, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("max_attempts", Integer, nullable=False),
    Column("timeout_seconds", SECONDS),
    Column("not_before", SECONDS),
    Column("deadline", SECONDS),
    Column("depends_on", DOCUMENT, nullable=False),
    Column("plan", Integer, nullable=False),
    Column("started_at", SECONDS),
    Column("paused_at", SECONDS),
    Column("paused_seconds", SECONDS, nullable=False),
    Column("finished_at", SECONDS),
    Column("failure", DOCUMENT),
    Column("spec", DOCUMENT, nullable=False),
)
Index("ix_jobs_state_queue_order", jobs.c.state, jobs.c.queue, jobs.c.order)
Index(
    "ix_jobs_finished_at",
    jobs.c.finished_at,
    sqlite_where=jobs.c.finished_at.is_not(None),
    postgresql_where=jobs.c.finished_at.is_not(None),
)
Index("ix_jobs_owner_state_queue_order", jobs.c.owner, jobs.c.state, jobs.c.queue, jobs.c.order)

tasks = Table(
    "tasks",
    metadata,
    Column("seq", SEQUENCE, primary_key=True),  # the order in which they were added
    Column("id", Text, nullable=False, unique=True),
    Column("job_id", Text, ForeignKey("jobs.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("needs", DOCUMENT, nullable=False),
    Column("state", Text, nullable=False),
    Column("waits_for", DOCUMENT, nullable=False),
    Column("weight", SECONDS, nullable=False),
    Column("timeout_seconds", SECONDS),
    Column("final", Boolean, nullable=False),
    Column("plan", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("workers_lost", Integer, nullable=False),
    Column("preemptions", Integer, nullable=False),
    Column("not_before", SECONDS),
    Column("ready_at", SECONDS),
    Column("stop_reason", Text),
    Column("failure", DOCUMENT),
    Column("payload", DOCUMENT, nullable=False),
    Column("result", DOCUMENT),
)
Index("ix_tasks_job_id", tasks.c.job_id)

attempts = Table(
    "attempts",
    metadata,
    Column("seq", SEQUENCE, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("task_id", Text, ForeignKey("tasks.id"), nullable=False),
    Column("job_id", Text, ForeignKey("jobs.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("worker_id", Text, nullable=False),  # outlives the worker's row: no foreign key
    Column("grant", DOCUMENT, nullable=False),
    Column("placed_at", SECONDS, nullable=False),
    Column("started_at", SECONDS),
    Column("ended_at", SECONDS),
    Column("outcome", Text),
    Column("log", Words),  # last, so that reading the others never reads its pages
)
Index("ix_attempts_job_id", attempts.c.job_id)
Index("ix_attempts_task_id", attempts.c.task_id)  # for the foreign key, when tasks are removed
Index(
    "ix_attempts_open",
    attempts.c.seq,
    sqlite_where=attempts.c.ended_at.is_(None),
    postgresql_where=attempts.c.ended_at.is_(None),
)

workers = Table(
    "workers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("node_id", Text, nullable=False),
    Column("hostname", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("capacity", DOCUMENT, nullable=False),
    Column("capabilities", DOCUMENT, nullable=False),
    Column("draining", Boolean, nullable=False),
)

transitions = Table(
    "transitions",
    metadata,
    Column("seq", SEQUENCE, primary_key=True),
    Column("job_id", Text, ForeignKey("jobs.id"), nullable=False),
    Column("source", Text),
    Column("target", Text, nullable=False),
    Column("at", SECONDS, nullable=False),
    Column("reason", Words, nullable=False),
    Column("who", Words, nullable=False),
)
"""The audit trail: rows are added and never changed, and go with their job."""
Index("ix_transitions_job_id", transitions.c.job_id)
