"""What was committed is kept, whatever becomes of the process; what was not leaves no trace."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ffrtmp_ray.store.open import migrate, open_store
from ffrtmp_ray.store.protocol import Store
from ffrtmp_ray.store.sql.engine import create_engine, for_writing, parse_url
from tests.store.backends import NEVER, sqlite_url
from tests.store.committing import JOBS_PER_COMMIT

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = sqlite_url(tmp_path)
    migrate(url)
    return url


@pytest.mark.parametrize("commits", [1, 2, 5, 20, 50])
def test_a_reported_commit_survives_the_kill_of_its_process(url: str, commits: int) -> None:
    commit_until_killed(url, commits)


@pytest.mark.parametrize("commits", [1, 20])
def test_a_reported_commit_to_postgresql_survives_the_kill_of_its_process(
    postgresql_database: str, commits: int
) -> None:
    commit_until_killed(postgresql_database, commits)


def commit_until_killed(url: str, commits: int) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.store.committing", url],
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert child.stdout is not None
        while child.stdout.readline() != f"{commits}\n":
            assert child.poll() is None, "the program ended by itself"
    finally:
        child.kill()  # SIGKILL, in the middle of the next commit as often as not
        rest, _ = child.communicate()
    reported = commits + len(rest.splitlines())

    with closing(open_store(url, takeover_seconds=NEVER)) as store:
        snapshot = store.load().snapshot
        assert len(snapshot.jobs) >= reported * JOBS_PER_COMMIT
        assert len(snapshot.jobs) % JOBS_PER_COMMIT == 0, "a commit was kept in part"
        assert len(snapshot.tasks) == len(snapshot.attempts) == len(snapshot.jobs)
        _starts_again(store)


def _starts_again(store: Store) -> None:
    assert store.take_epoch("child", "1.0") == 2
    assert store.writable()


def test_every_connection_syncs_each_commit_to_the_disk(url: str) -> None:
    engine = create_engine(parse_url(url))
    # Two at once: the pool opens a second connection.
    with engine.connect() as reading, for_writing(engine).connect() as writing:
        for connection in (reading, writing):
            settings = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
            assert settings == {
                "journal_mode": "wal",
                "synchronous": 2,  # FULL
                "foreign_keys": 1,
                "busy_timeout": 5000,
            }
    engine.dispose()
