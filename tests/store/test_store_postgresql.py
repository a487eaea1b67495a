"""What is PostgreSQL's own: servers that go and come back, locks, and texts that it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from ffrtmp_ray.core.messages import AttemptChanged
from ffrtmp_ray.errors import StoreUnavailable, Superseded
from ffrtmp_ray.store.open import migrate, open_store
from ffrtmp_ray.store.protocol import JobQuery, Store
from ffrtmp_ray.store.sql import postgresql as settings
from ffrtmp_ray.store.sql import tables
from ffrtmp_ray.store.sql.engine import create_engine, for_reading, parse_url
from support.postgresql import Server, running_server
from tests.store.backends import NEVER
from tests.store.samples import added, attempt, job, task


@pytest.fixture
def store(postgresql_database: str) -> Iterator[Store]:
    with closing(open_store(postgresql_database, takeover_seconds=NEVER)) as store:
        yield store


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_any_way_to_write_its_url_means_psycopg(scheme: str) -> None:
    assert parse_url(f"{scheme}://ann@db.example/farm").drivername == "postgresql+psycopg"


def test_the_migrated_schema_is_the_one_that_the_tables_describe(postgresql_database: str) -> None:
    engine = create_engine(parse_url(postgresql_database))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_migrations_that_run_at_once_wait_for_each_other(postgresql: Server) -> None:
    url = postgresql.url(postgresql.create())
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate, [url] * 3))
    with closing(open_store(url, takeover_seconds=NEVER)) as store:
        assert store.take_epoch("here", "1.0") == 1


def test_texts_that_it_refuses_are_stored_all_the_same(store: Store) -> None:
    one = job(1, owner="a\0b")
    tried = attempt(task(one))
    epoch = store.take_epoch("here", "1.0")
    store.commit(epoch, added(one, task(one), tried))
    store.commit(epoch, [AttemptChanged(tried, log="frame\0")])
    assert store.jobs(JobQuery(owner="a\0b")).jobs[0].job.owner == "a\ufffdb"
    assert store.logs(one.id) == [(tried.id, "frame\ufffd")]


def test_a_commit_that_another_transaction_holds_up_is_given_up(
    postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "_LOCK_SECONDS", 0.1)
    engine = create_engine(parse_url(postgresql_database))
    with closing(open_store(postgresql_database, takeover_seconds=NEVER)) as store:
        epoch = store.take_epoch("here", "1.0")
        with engine.begin() as other:
            other.exec_driver_sql("SELECT * FROM scheduler FOR UPDATE")
            with pytest.raises(StoreUnavailable, match="lock timeout") as caught:
                store.commit(epoch, added(job(1)))
            assert "accepts this user" in str(caught.value.remedy)
        assert store.load().snapshot.jobs == ()
        store.commit(epoch, added(job(1)))
    engine.dispose()


def test_a_client_that_hangs_in_a_transaction_does_not_keep_the_row_locked(
    postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "_IDLE_SECONDS", 0.2)
    engine = create_engine(parse_url(postgresql_database))
    with closing(open_store(postgresql_database, takeover_seconds=NEVER)) as store:
        hung = engine.connect()
        hung.exec_driver_sql("SELECT * FROM scheduler FOR UPDATE")
        assert store.take_epoch("there", "1.0") == 1
        hung.invalidate()
        hung.close()
    engine.dispose()


def test_a_commit_and_a_takeover_at_once_never_both_succeed_in_the_wrong_order(
    postgresql_database: str,
) -> None:
    """However a commit of the old scheduler and the takeover meet, the new one sees what the old
    one was told is committed."""
    with (
        closing(open_store(postgresql_database, takeover_seconds=0)) as old,
        closing(open_store(postgresql_database, takeover_seconds=0)) as new,
        ThreadPoolExecutor(1) as pool,
    ):
        for number in range(1, 51):
            epoch = old.take_epoch("old", "1.0")
            committing = pool.submit(old.commit, epoch, added(job(number)))
            assert new.take_epoch("new", "1.0") == epoch + 1
            seen = {each.order for each in new.load().snapshot.jobs}
            refused = isinstance(committing.exception(), Superseded)
            assert (number in seen) is not refused


@pytest.mark.parametrize(("server", "ours"), [("off", "on"), ("remote_apply", "remote_apply")])
def test_a_commit_is_on_disk_whatever_the_server_is_set_to(
    postgresql: Server, server: str, ours: str
) -> None:
    name = postgresql.create()
    with postgresql.connect() as connection:
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = {server}")
    engine = create_engine(parse_url(postgresql.url(name)))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == ours
    engine.dispose()


def test_readers_may_not_write(postgresql_database: str) -> None:
    engine = create_engine(parse_url(postgresql_database))
    with for_reading(engine).connect() as connection:
        assert connection.exec_driver_sql("SHOW transaction_read_only").scalar_one() == "on"
        level = connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
        assert level == "repeatable read"
    with engine.connect() as connection:
        level = connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
        assert level == "read committed"  # of the pooled connection that was reading
    engine.dispose()


def test_a_store_outlives_its_server() -> None:
    with running_server() as server:
        url = server.url("postgres")
        migrate(url)
        with closing(open_store(url, takeover_seconds=NEVER)) as store:
            epoch = store.take_epoch("here", "1.0")
            store.commit(epoch, added(job(1)))

            server.end()
            for use in (store.load, lambda: store.commit(epoch, added(job(2)))):
                with pytest.raises(StoreUnavailable, match="cannot be used"):
                    use()
            assert store.writable() is False

            server.start_again()
            assert store.writable() is True
            assert store.load().snapshot.jobs == (job(1),)
            store.commit(epoch, added(job(2)))


def test_a_server_that_cannot_be_reached_is_reported_without_its_password() -> None:
    url = "postgresql://ann:secret@127.0.0.1:1/farm"
    for use in (migrate, lambda url: open_store(url, takeover_seconds=NEVER)):
        with pytest.raises(StoreUnavailable, match="refused") as caught:
            use(url)
        assert caught.value.where == "postgresql+psycopg://ann:***@127.0.0.1:1/farm"
        assert "secret" not in str(caught.value)
