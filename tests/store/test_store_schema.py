"""The schema: migrations make what the statements expect, and no other one is worked with."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from msgspec.structs import fields
from sqlalchemy import Table, inspect

from ffrtmp_ray.core.messages import JobTransitioned
from ffrtmp_ray.core.model import Attempt, Job, Shares, Task, Worker
from ffrtmp_ray.errors import SchemaMismatch, StoreUnavailable
from ffrtmp_ray.store.open import migrate, open_store
from ffrtmp_ray.store.sql import tables
from ffrtmp_ray.store.sql.engine import create_engine, parse_url
from ffrtmp_ray.store.sql.migrate import head
from ffrtmp_ray.store.sql.schema import REVISION
from tests.store.backends import NEVER, sqlite_url
from tests.store.samples import added, job


@pytest.fixture
def url(tmp_path: Path) -> str:
    return sqlite_url(tmp_path)


def set_revision(tmp_path: Path, revision: str) -> None:
    with closing(sqlite3.connect(tmp_path / "ffrtmp.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        connection.commit()


def test_the_migrated_schema_is_the_one_that_the_tables_describe(url: str) -> None:
    migrate(url)
    engine = create_engine(parse_url(url))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
        # What the comparison passes over in SQLite: partial indexes and check constraints.
        found = inspect(connection)
        (partial,) = [i for i in found.get_indexes("attempts") if i["name"] == "ix_attempts_open"]
        assert str(partial["dialect_options"]["sqlite_where"]) == "ended_at IS NULL"
        (ended,) = [i for i in found.get_indexes("jobs") if i["name"] == "ix_jobs_finished_at"]
        assert str(ended["dialect_options"]["sqlite_where"]) == "finished_at IS NOT NULL"
        for table in ("scheduler", "canary"):
            (check,) = found.get_check_constraints(table)
            assert check["sqltext"] == "id = 1"
    engine.dispose()


@pytest.mark.parametrize(
    ("kind", "table", "others"),
    [
        (Job, tables.jobs, {"spec"}),
        (Task, tables.tasks, {"seq", "payload", "result"}),
        (Attempt, tables.attempts, {"seq", "log"}),
        (Worker, tables.workers, set()),
        (JobTransitioned, tables.transitions, {"seq"}),
    ],
)
def test_every_field_has_its_column(kind: Any, table: Table, others: set[str]) -> None:
    assert {field.name for field in fields(kind)} == set(table.c.keys()) - others


def test_the_version_that_is_worked_with_is_the_newest_that_there_is_a_migration_to() -> None:
    assert head() == REVISION


def test_opening_a_store_does_not_load_what_only_migrations_need() -> None:
    code = "import sys, ffrtmp_ray.store.open; assert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_migrating_again_changes_nothing(url: str) -> None:
    migrate(url)
    with closing(open_store(url, takeover_seconds=NEVER)) as store:
        store.commit(store.take_epoch("here", "1.0"), added(job(1)))
        migrate(url)
        assert store.load().snapshot.jobs == (job(1),)
        assert store.take_epoch("here", "1.0") == 2


def test_a_database_of_the_first_version_keeps_its_jobs(tmp_path: Path, url: str) -> None:
    migrate(url)
    with closing(open_store(url, takeover_seconds=NEVER)) as store:
        store.commit(store.take_epoch("here", "1.0"), added(job(1)))
    with closing(sqlite3.connect(tmp_path / "ffrtmp.db")) as connection:
        connection.execute("ALTER TABLE scheduler DROP COLUMN shares")
        connection.commit()
    set_revision(tmp_path, "0001")

    migrate(url)

    with closing(open_store(url, takeover_seconds=NEVER)) as store:
        assert store.load().snapshot.jobs == (job(1),)
        assert store.load().snapshot.shares == Shares()


def test_migrating_makes_the_folder_of_the_file(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path}/a/b/ffrtmp.db")
    assert (tmp_path / "a" / "b" / "ffrtmp.db").is_file()


def test_a_migration_happens_whole_or_not_at_all(tmp_path: Path, url: str) -> None:
    with closing(sqlite3.connect(tmp_path / "ffrtmp.db")) as connection:
        connection.execute("CREATE TABLE transitions (id TEXT)")  # the last one to be made
    with pytest.raises(StoreUnavailable, match="already exists"):
        migrate(url)
    with closing(sqlite3.connect(tmp_path / "ffrtmp.db")) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    assert names == [("transitions",)]


def test_a_database_that_was_not_migrated_is_refused(url: str) -> None:
    with pytest.raises(SchemaMismatch, match="at version none") as caught:
        open_store(url, takeover_seconds=NEVER)
    assert caught.value.where == url
    assert caught.value.remedy == "run `ffrtmp up`, which migrates it"


def test_a_database_of_another_version_is_refused(tmp_path: Path, url: str) -> None:
    migrate(url)
    set_revision(tmp_path, "9999")
    with pytest.raises(
        SchemaMismatch, match=f"at version 9999; this version works with {REVISION}"
    ):
        open_store(url, takeover_seconds=NEVER)
    with pytest.raises(SchemaMismatch, match="does not know") as caught:
        migrate(url)
    assert "newer version" in str(caught.value.remedy)


def test_a_scheduler_does_not_start_on_a_schema_that_changed_since_the_store_was_opened(
    tmp_path: Path, url: str
) -> None:
    migrate(url)
    with closing(open_store(url, takeover_seconds=NEVER)) as store:
        set_revision(tmp_path, "9999")
        with pytest.raises(SchemaMismatch):
            store.take_epoch("here", "1.0")
        set_revision(tmp_path, REVISION)
        assert store.take_epoch("here", "1.0") == 1
