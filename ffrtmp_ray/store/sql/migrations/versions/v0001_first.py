"""The first schema: jobs, tasks, attempts, workers, transitions, and the scheduler's row.

A version is never edited once it has been released: what it made is out there.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

DOCUMENT = sa.JSON(none_as_null=True)
SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")
SECONDS: sa.Double[float] = sa.Double()


def upgrade() -> None:
    _scheduler()
    _jobs()
    _tasks()
    _attempts()
    _workers()
    _transitions()


def _scheduler() -> None:
    scheduler = op.create_table(
        "scheduler",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("seen_at", SECONDS, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("last_order", sa.BigInteger, nullable=False),
        sa.Column("last_time", SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scheduler"),
        sa.CheckConstraint("id = 1", name="ck_scheduler_one_row"),
    )
    nobody = {"id": 1, "epoch": 0, "holder": "", "seen_at": 0.0, "version": ""}
    op.bulk_insert(scheduler, [nobody | {"last_order": 0, "last_time": 0.0}])
    canary = op.create_table(
        "canary",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("written_at", SECONDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_canary"),
        sa.CheckConstraint("id = 1", name="ck_canary_one_row"),
    )
    op.bulk_insert(canary, [{"id": 1, "written_at": 0.0}])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("order", SEQUENCE, nullable=False, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("priority", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("submitted_at", SECONDS, nullable=False),
        sa.Column("urgent", sa.Boolean, nullable=False),
        sa.Column("preemptible", sa.Boolean, nullable=False),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.Column("max_attempts", sa.Integer, nullable=False),
        sa.Column("timeout_seconds", SECONDS),
        sa.Column("not_before", SECONDS),
        sa.Column("deadline", SECONDS),
        sa.Column("depends_on", DOCUMENT, nullable=False),
        sa.Column("plan", sa.Integer, nullable=False),
        sa.Column("started_at", SECONDS),
        sa.Column("paused_at", SECONDS),
        sa.Column("paused_seconds", SECONDS, nullable=False),
        sa.Column("finished_at", SECONDS),
        sa.Column("failure", DOCUMENT),
        sa.Column("spec", DOCUMENT, nullable=False),
        sa.PrimaryKeyConstraint("order", name="pk_jobs"),
        sa.UniqueConstraint("id", name="uq_jobs_id"),
    )
    op.create_index("ix_jobs_state_queue_order", "jobs", ["state", "queue", "order"])
    op.create_index(
        "ix_jobs_finished_at",
        "jobs",
        ["finished_at"],
        sqlite_where=sa.text("finished_at IS NOT NULL"),
        postgresql_where=sa.text("finished_at IS NOT NULL"),
    )
    op.create_index("ix_jobs_owner_state_queue_order", "jobs", ["owner", "state", "queue", "order"])


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("seq", SEQUENCE, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("needs", DOCUMENT, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("waits_for", DOCUMENT, nullable=False),
        sa.Column("weight", SECONDS, nullable=False),
        sa.Column("timeout_seconds", SECONDS),
        sa.Column("final", sa.Boolean, nullable=False),
        sa.Column("plan", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("workers_lost", sa.Integer, nullable=False),
        sa.Column("preemptions", sa.Integer, nullable=False),
        sa.Column("not_before", SECONDS),
        sa.Column("ready_at", SECONDS),
        sa.Column("stop_reason", sa.Text),
        sa.Column("failure", DOCUMENT),
        sa.Column("payload", DOCUMENT, nullable=False),
        sa.Column("result", DOCUMENT),
        sa.PrimaryKeyConstraint("seq", name="pk_tasks"),
        sa.UniqueConstraint("id", name="uq_tasks_id"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_tasks_job_id"),
    )
    op.create_index("ix_tasks_job_id", "tasks", ["job_id"])


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("seq", SEQUENCE, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("task_id", sa.Text, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("worker_id", sa.Text, nullable=False),
        sa.Column("grant", DOCUMENT, nullable=False),
        sa.Column("placed_at", SECONDS, nullable=False),
        sa.Column("started_at", SECONDS),
        sa.Column("ended_at", SECONDS),
        sa.Column("outcome", sa.Text),
        sa.Column("log", sa.Text),
        sa.PrimaryKeyConstraint("seq", name="pk_attempts"),
        sa.UniqueConstraint("id", name="uq_attempts_id"),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name="fk_attempts_task_id"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_attempts_job_id"),
    )
    op.create_index("ix_attempts_job_id", "attempts", ["job_id"])
    op.create_index("ix_attempts_task_id", "attempts", ["task_id"])
    still_open = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_attempts_open",
        "attempts",
        ["seq"],
        sqlite_where=still_open,
        postgresql_where=still_open,
    )


def _workers() -> None:
    op.create_table(
        "workers",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("node_id", sa.Text, nullable=False),
        sa.Column("hostname", sa.Text, nullable=False),
        sa.Column("device", sa.Text, nullable=False),
        sa.Column("capacity", DOCUMENT, nullable=False),
        sa.Column("capabilities", DOCUMENT, nullable=False),
        sa.Column("draining", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workers"),
    )


def _transitions() -> None:
    op.create_table(
        "transitions",
        sa.Column("seq", SEQUENCE, nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("source", sa.Text),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("at", SECONDS, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_transitions"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_transitions_job_id"),
    )
    op.create_index("ix_transitions_job_id", "transitions", ["job_id"])
