"""A copy is whole and of one moment, whatever is written meanwhile, and replaces nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from ffrtmp_ray.errors import InvalidRequest, OutputExists, StoreUnavailable
from ffrtmp_ray.store.backup import backup
from ffrtmp_ray.store.open import open_store
from tests.store.backends import NEVER
from tests.store.samples import added, attempt, job, task


def test_a_copy_made_while_a_scheduler_writes_is_of_one_moment(
    sqlite_database: str, tmp_path: Path
) -> None:
    target, done, under_way = tmp_path / "copies" / "copy.db", Event(), Event()
    target.parent.mkdir()

    def write() -> None:
        with closing(open_store(sqlite_database, takeover_seconds=NEVER)) as store:
            epoch, number = store.take_epoch("here", "1.0"), 0
            while not done.is_set():
                number += 1
                one = job(number)
                store.commit(epoch, added(one, task(one), attempt(task(one))))
                if number == 20:
                    under_way.set()

    writer = Thread(target=write)
    writer.start()
    try:
        assert under_way.wait(30)
        size = backup(sqlite_database, target)
    finally:
        done.set()
        writer.join()

    assert [path.name for path in target.parent.iterdir()] == ["copy.db"]
    assert target.stat().st_size == size
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with closing(open_store(f"sqlite:///{target}", takeover_seconds=NEVER)) as store:
        snapshot = store.load().snapshot
        assert len(snapshot.jobs) >= 20
        assert len(snapshot.jobs) == len(snapshot.tasks) == len(snapshot.attempts)
        assert store.take_epoch("here", "1.0") == 2
        store.commit(2, added(job(1_000_000)))


def test_nothing_is_ever_replaced(sqlite_database: str, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises(OutputExists) as caught:
        backup(sqlite_database, target)
    assert caught.value.where == str(target)
    assert target.read_text() == "precious"


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing, target = tmp_path / "missing.db", tmp_path / "copy.db"
    with pytest.raises(StoreUnavailable, match="there is no database"):
        backup(f"sqlite:///{missing}", target)
    assert list(tmp_path.iterdir()) == []


def test_a_copy_that_cannot_be_written_or_read_leaves_nothing(
    sqlite_database: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidRequest, match="no such folder") as caught:
        backup(sqlite_database, tmp_path / "no-folder" / "copy.db")
    assert caught.value.where == str(tmp_path / "no-folder")
    damaged, folder = tmp_path / "damaged.db", tmp_path / "copies"
    damaged.write_bytes(b"not a database, " * 100)
    folder.mkdir()
    with pytest.raises(StoreUnavailable, match="not a database"):
        backup(f"sqlite:///{damaged}", folder / "copy.db")
    assert list(folder.iterdir()) == []


def test_for_postgresql_it_names_pg_dump(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as caught:
        backup("postgresql://ann:secret@db.example/farm", tmp_path / "copy.db")
    assert "pg_dump" in str(caught.value)
    assert "secret" not in str(caught.value)
