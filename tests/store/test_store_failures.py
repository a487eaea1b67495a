"""What a store says when it cannot write, and that it then has written nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from ffrtmp_ray.core.messages import Change
from ffrtmp_ray.errors import InvalidRequest, StoreUnavailable, Superseded
from ffrtmp_ray.store.memory import MemoryStore
from ffrtmp_ray.store.open import migrate, open_store
from ffrtmp_ray.store.protocol import Store
from ffrtmp_ray.store.sql import engine, sqlite
from ffrtmp_ray.store.sql.store import SqlStore
from tests.store.backends import NEVER, sqlite_url
from tests.store.samples import added, job, task


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = sqlite_url(tmp_path)
    migrate(url)
    return url


@pytest.fixture
def database(url: str) -> Iterator[Store]:
    with closing(open_store(url, takeover_seconds=NEVER)) as store:
        store.take_epoch("here", "1.0")
        yield store


def big(number: int) -> list[Change]:
    """Changes that need many pages of the database."""
    one = job(number)
    return [
        *added(one),
        *(c for n in range(300) for c in added(job(number * 1000 + n, owner="x" * 999))),
    ]


def test_a_commit_that_fails_halfway_writes_nothing(database: Store, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ffrtmp.db")) as other:
        other.execute(
            "CREATE TRIGGER broken BEFORE INSERT ON transitions "
            "BEGIN SELECT RAISE(FAIL, 'not another job'); END"
        )

    with pytest.raises(ValueError, match="not another job"):
        database.commit(1, added(job(1), task(job(1))))

    assert database.load().snapshot.jobs == ()
    assert database.load().last_order == 0


@contextmanager
def _full_disk(database: Store, tmp_path: Path) -> Iterator[None]:
    """SQLite answers as on a full disk when a file would grow over `max_page_count`."""
    assert isinstance(database, SqlStore)

    def allow_no_growth(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")  # it becomes what the file has now

    event.listen(database._engine, "checkout", allow_no_growth)
    yield
    event.remove(database._engine, "checkout", allow_no_growth)
    database._engine.dispose()


@contextmanager
def _locked(database: Store, tmp_path: Path) -> Iterator[None]:
    """Another program writes, and does not end."""
    with closing(sqlite3.connect(tmp_path / "ffrtmp.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.parametrize(
    ("trouble", "message"),
    [(_full_disk, "database or disk is full"), (_locked, "database is locked")],
)
def test_a_commit_that_cannot_be_written_is_reported_and_leaves_nothing(
    database: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Callable[[Store, Path], AbstractContextManager[None]],
    message: str,
) -> None:
    _wait_briefly_for_locks(database, monkeypatch)
    with trouble(database, tmp_path):
        with pytest.raises(StoreUnavailable, match=message) as caught:
            database.commit(1, big(1))
        assert caught.value.where == sqlite_url(tmp_path)
        assert "can be written" in str(caught.value.remedy)
        assert database.load().snapshot.jobs == ()

    database.commit(1, big(1))
    assert len(database.load().snapshot.jobs) == 301


def _wait_briefly_for_locks(database: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    assert isinstance(database, SqlStore)
    database._engine.dispose()  # connections made from here on wait that long


def test_a_database_that_is_locked_is_not_writable_until_it_is_free(
    database: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _wait_briefly_for_locks(database, monkeypatch)
    with _locked(database, tmp_path):
        assert database.writable() is False
    assert database.writable() is True


def test_a_database_that_may_only_be_read_is_not_writable(url: str, database: Store) -> None:
    database.commit(1, added(job(1)))
    path = url.removeprefix("sqlite:///")
    read_only = f"sqlite:///file:{path}?mode=ro&uri=true"
    with closing(open_store(read_only, takeover_seconds=NEVER)) as store:
        assert store.writable() is False
        with pytest.raises(StoreUnavailable, match="readonly"):
            store.commit(1, added(job(2)))
        assert store.load().snapshot.jobs == (job(1),)


def test_a_file_that_can_no_longer_grow_is_not_writable(database: Store, tmp_path: Path) -> None:
    # A limit on the size of files ends a write as a full disk does, in the operating system.
    program = (
        "import resource, signal, sys\n"
        "from ffrtmp_ray.store.open import open_store\n"
        "store = open_store(sys.argv[1], takeover_seconds=1)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))\n"
        "print(store.writable())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, sqlite_url(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert result.stdout == "False\n"
    assert database.writable() is True


def test_a_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "ffrtmp.db").write_bytes(b"not a database, " * 100)
    with pytest.raises(StoreUnavailable, match="not a database"):
        migrate(sqlite_url(tmp_path))
    with pytest.raises(StoreUnavailable, match="not a database"):
        open_store(sqlite_url(tmp_path), takeover_seconds=NEVER)


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    url = f"sqlite:///{tmp_path}/file/below/ffrtmp.db"
    with pytest.raises(StoreUnavailable, match="cannot be made") as caught:
        migrate(url)
    assert caught.value.where == url


@pytest.mark.parametrize("url", ["", "/var/lib/ffrtmp.db", "mysql://host/db", "sqlite://"])
def test_a_url_that_names_no_lasting_database_is_refused(url: str) -> None:
    for use in (migrate, lambda url: open_store(url, takeover_seconds=NEVER)):
        with pytest.raises(InvalidRequest) as caught:
            use(url)
        assert caught.value.where == "database"


def test_a_password_is_never_shown() -> None:
    url = engine.parse_url("postgresql://user:secret@db.example:5432/farm?password=secret")
    assert engine.place(url) == "postgresql+psycopg://user:***@db.example:5432/farm"


class TestMemory:
    """The fake fails on demand."""

    def test_a_commit_fails_as_its_hook_says_and_writes_nothing(self) -> None:
        failing = True

        def hook(changes: Sequence[Change]) -> None:
            if failing:
                raise StoreUnavailable(f"no room for {len(changes)} changes")

        store = MemoryStore(before_commit=hook)
        store.take_epoch("here", "1.0")
        with pytest.raises(StoreUnavailable, match="no room for 2 changes"):
            store.commit(1, added(job(1)))
        assert store.load().snapshot.jobs == ()
        assert store.writable() is False

        failing = False
        store.commit(1, added(job(1)))
        assert store.load().snapshot.jobs == (job(1),)
        assert store.writable() is True

    def test_a_hook_may_stand_for_any_error(self) -> None:
        def hook(_changes: Sequence[Change]) -> None:
            raise Superseded("another took over in this very moment")

        store = MemoryStore(before_commit=hook)
        store.take_epoch("here", "1.0")
        with pytest.raises(Superseded):
            store.commit(1, [])
