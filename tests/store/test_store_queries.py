"""How the statements reach their rows: by an index, each of them, however many jobs there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from ffrtmp_ray.core.messages import (
    AttemptChanged,
    Change,
    JobChanged,
    LabelsChanged,
    ResultAdded,
    TaskChanged,
    WorkerChanged,
    WorkerRemoved,
)
from ffrtmp_ray.core.model import JobState, Queue
from ffrtmp_ray.store.open import migrate
from ffrtmp_ray.store.protocol import JobQuery
from ffrtmp_ray.store.sql.engine import parse_url
from ffrtmp_ray.store.sql.store import SqlStore
from tests.store.backends import NEVER, sqlite_url
from tests.store.samples import added, attempt, job, joined, task, worker

FULL_SCAN = re.compile(r"^SCAN (jobs|tasks|attempts|transitions)\b(?!.* USING )")
"""A table read from end to end. `SCAN … USING COVERING INDEX` reads an index alone, and
`SCAN jobs` in the order of a limited listing is checked by itself."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    url = sqlite_url(tmp_path)
    migrate(url)
    with closing(SqlStore(parse_url(url), takeover_seconds=NEVER)) as store:
        yield store


@pytest.fixture
def statements(store: SqlStore) -> list[tuple[str, Any]]:
    """Every statement that the store sends, with the parameters of one execution."""
    sent: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, _x: Any, many: bool) -> None:
        sent.append((statement, parameters[0] if many else parameters))

    event.listen(store._engine, "before_cursor_execute", note)
    return sent


def use_everything(store: SqlStore) -> None:
    epoch = store.take_epoch("here", "1.0")
    store.seen(epoch)
    over, one = job(1, JobState.CANCELED), job(2)
    tries = [attempt(task(each)) for each in (over, one)]
    store.commit(epoch, [*joined(worker(), worker("b"))])
    store.commit(epoch, [*added(over, task(over), tries[0]), *added(one, task(one), tries[1])])
    waiting = task(one, "finish", waits_for=frozenset({task(one).id}))
    store.commit(epoch, added(job(3), waiting))
    changed: list[Change] = [JobChanged(one), TaskChanged(task(one)), ResultAdded(task(one).id, {})]
    store.commit(epoch, [*changed, AttemptChanged(tries[1], log="end"), LabelsChanged(one.id, {})])
    store.commit(epoch, [WorkerChanged(worker(draining=True)), WorkerRemoved("worker-b")])
    store.load()
    store.inputs([waiting.id])
    store.job(one.id)
    store.logs(one.id)
    store.writable()
    for query in LISTINGS:
        store.jobs(query)
    store.commit(epoch, added(job(4, JobState.CANCELED, finished_at=1_000_004.0)))
    old = store.finished(2_000_000.0, 100, frozenset())
    store.remove(epoch, [each.job_id for each in old])
    store.release(epoch)


LISTINGS = [
    JobQuery(states=states, queues=queues, owner=owner, before=before)
    for states in ((), (JobState.QUEUED,), (JobState.QUEUED, JobState.FAILED))
    for queues in ((), (Queue.LIVE,), (Queue.LIVE, Queue.BATCH))
    for owner in (None, "ann")
    for before in (None, 3)
]


def plan(store: SqlStore, statement: str, parameters: Any) -> list[str]:
    with store._engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [row[-1] for row in rows]


def test_no_statement_reads_a_whole_table(
    store: SqlStore, statements: list[tuple[str, Any]]
) -> None:
    use_everything(store)
    sent = [
        (statement, parameters)
        for statement, parameters in statements
        if statement.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE")
    ]
    read_or_changed = {
        table
        for statement, _ in sent
        for table in ("jobs", "tasks", "attempts", "workers", "transitions")
        if re.search(rf"\b(FROM|UPDATE|JOIN) {table}\b", statement)
    }
    assert read_or_changed == {"jobs", "tasks", "attempts", "workers", "transitions"}

    scans = {
        (step, statement)
        for statement, parameters in sent
        for step in plan(store, statement, parameters)
        if FULL_SCAN.search(step)
    }

    assert scans == set()


def test_a_listing_reads_index_entries_of_its_filters_in_their_order(store: SqlStore) -> None:
    sent: list[tuple[str, Any]] = []
    event.listen(
        store._engine,
        "before_cursor_execute",
        lambda _c, _u, statement, parameters, *_: sent.append((statement, parameters)),
    )
    store.jobs(JobQuery(states=(JobState.QUEUED,), owner="ann"))
    (statement, parameters) = sent[-1]

    steps = plan(store, statement, parameters)

    ranges = [step for step in steps if "ix_jobs_owner_state_queue_order" in step]
    assert len(ranges) == len(Queue)
    assert all("(owner=? AND state=? AND queue=? AND order<?)" in step for step in ranges)


def test_counting_jobs_reads_an_index_alone(
    store: SqlStore, statements: list[tuple[str, Any]]
) -> None:
    store.load()
    (counting,) = [each for each in statements if "GROUP BY" in each[0]]
    assert plan(store, *counting) == ["SCAN jobs USING COVERING INDEX ix_jobs_state_queue_order"]


def test_the_audit_trail_is_added_to_and_goes_with_its_job(
    store: SqlStore, statements: list[tuple[str, Any]]
) -> None:
    use_everything(store)
    touching = {each.split()[0] for each, _ in statements if "transitions" in each}
    assert touching == {"INSERT", "SELECT", "DELETE"}


def test_logs_are_read_when_they_are_asked_for_alone(
    store: SqlStore, statements: list[tuple[str, Any]]
) -> None:
    use_everything(store)
    assert any("attempts.log" in each for each, _ in statements)
    statements.clear()
    store.load()
    store.job("job2")
    assert not any("attempts.log" in each for each, _ in statements)
    assert len(statements) > 0


def test_a_commit_sends_few_statements_however_many_changes_it_has(
    store: SqlStore, statements: list[tuple[str, Any]]
) -> None:
    epoch = store.take_epoch("here", "1.0")
    statements.clear()
    jobs = [job(number) for number in range(1, 501)]
    store.commit(epoch, [change for one in jobs for change in added(one, task(one))])
    # BEGIN, the scheduler's row, and one for each kind of row.
    assert len(statements) == 5
