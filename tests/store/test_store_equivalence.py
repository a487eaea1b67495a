"""The fake in memory does what the database does, whatever is committed."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ffrtmp_ray.core.messages import (
    AttemptAdded,
    AttemptChanged,
    Change,
    JobAdded,
    JobChanged,
    LabelsChanged,
    ResultAdded,
    TaskAdded,
    TaskChanged,
    WorkerAdded,
    WorkerChanged,
    WorkerRemoved,
)
from ffrtmp_ray.core.model import Failure, FailureKind, JobState, Queue, TaskState
from ffrtmp_ray.store.memory import MemoryStore
from ffrtmp_ray.store.open import migrate, open_store
from ffrtmp_ray.store.protocol import JobQuery, Store
from support.postgresql import Server
from tests.store.backends import NEVER, sqlite_url
from tests.store.samples import attempt, job, task, transition, worker

NUMBERS = (1, 2, 3)
NAMES = ("plan", "encode0", "finish")

moments = st.none() | st.floats(1_000_000, 2_000_000)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
documents = st.dictionaries(texts, st.none() | st.booleans() | st.integers() | texts, max_size=3)
jobs = st.builds(
    job,
    st.sampled_from(NUMBERS),
    st.sampled_from(JobState),
    held=st.booleans(),
    started_at=moments,
    finished_at=moments,
    failure=st.none() | st.builds(Failure, st.sampled_from(FailureKind), texts),
)
tasks = st.builds(
    lambda of, name, waits_for, **fields: task(
        of, name, waits_for=frozenset(f"{of.id}-{each}" for each in waits_for), **fields
    ),
    st.builds(job, st.sampled_from(NUMBERS)),
    st.sampled_from(NAMES),
    st.sets(st.sampled_from(NAMES)),
    state=st.sampled_from(TaskState),
    not_before=moments,
    weight=st.floats(0, 1e9),
)
attempts = st.builds(
    attempt,
    st.builds(task, st.builds(job, st.sampled_from(NUMBERS)), st.sampled_from(NAMES)),
    st.integers(1, 2),
    started_at=moments,
    ended_at=moments,
)
workers = st.builds(worker, st.sampled_from("ab"), draining=st.booleans())
changes = st.one_of(
    st.builds(JobAdded, jobs, documents),
    st.builds(JobChanged, jobs),
    st.builds(
        LabelsChanged,
        jobs.map(lambda each: each.id),
        st.dictionaries(texts, texts, max_size=2),
    ),
    st.builds(transition, jobs, st.sampled_from(JobState), at=st.floats(0, 2e6)),
    st.builds(TaskAdded, tasks, documents),
    st.builds(TaskChanged, tasks),
    st.builds(ResultAdded, tasks.map(lambda each: each.id), documents),
    st.builds(AttemptAdded, attempts),
    st.builds(AttemptChanged, attempts, st.none() | texts),
    st.builds(WorkerAdded, workers),
    st.builds(WorkerChanged, workers),
    st.builds(WorkerRemoved, workers.map(lambda each: each.id)),
)
START: list[Change] = [
    *(JobAdded(job(number), {}) for number in NUMBERS[:2]),
    *(TaskAdded(task(job(number)), {}) for number in NUMBERS[:2]),
    *(AttemptAdded(attempt(task(job(number)))) for number in NUMBERS[:2]),
    WorkerAdded(worker("a")),
]
"""So that most of what is drawn has something to change."""


def accepted(store: Store, changes: Sequence[Change]) -> bool:
    try:
        store.commit(1, changes)
    except ValueError:
        return False
    return True


def everything(store: Store) -> dict[str, Any]:
    ids = [job(number).id for number in NUMBERS]
    return {
        "load": store.load(),
        "jobs": [store.job(each) for each in ids],
        "logs": [store.logs(each) for each in ids],
        "listings": [
            store.jobs(JobQuery(states=states, queues=queues, owner=owner))
            for states in ((), (JobState.PENDING, JobState.FAILED))
            for queues in ((), (Queue.DEFAULT,))
            for owner in (None, "ann")
        ],
        "inputs": store.inputs(f"{each}-{name}" for each in ids for name in NAMES),
    }


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with no job, to be copied: that is quicker than to migrate each."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate(sqlite_url(folder))
    return folder / "ffrtmp.db"


commit_sequences = st.lists(st.lists(changes, min_size=1, max_size=3), max_size=20)


def same_as_in_memory(url: str, commits: Sequence[Sequence[Change]]) -> None:
    memory = MemoryStore()
    with closing(open_store(url, takeover_seconds=NEVER)) as database:
        for store in (memory, database):
            store.take_epoch("here", "1.0")
            store.commit(1, START)
        for commit in commits:
            assert accepted(memory, commit) == accepted(database, commit)
        assert everything(memory) == everything(database)


# Each example has rows of its own; to shrink one that fails takes hundreds of them.
@pytest.mark.timeout(600)
@settings(max_examples=60, deadline=None)
@given(commits=commit_sequences)
def test_any_sequence_of_commits_ends_in_the_same_rows_in_sqlite(
    migrated: Path, commits: list[list[Change]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(migrated, folder)
        same_as_in_memory(sqlite_url(Path(folder)), commits)


@pytest.mark.timeout(600)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # each example empties it
)
@given(commits=commit_sequences)
def test_any_sequence_of_commits_ends_in_the_same_rows_in_postgresql(
    postgresql: Server, postgresql_database: str, commits: list[list[Change]]
) -> None:
    postgresql.empty(postgresql_database.partition("?")[0].rpartition("/")[2])
    same_as_in_memory(postgresql_database, commits)
