"""Finished jobs go after their time, files first, and never one that somebody still needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from ffrtmp_ray.cluster import retention
from ffrtmp_ray.cluster.fleet import WorkerHandle
from ffrtmp_ray.cluster.intake import Intake
from ffrtmp_ray.cluster.life import Life
from ffrtmp_ray.cluster.retention import Dependents, Retention
from ffrtmp_ray.cluster.submission import submission
from ffrtmp_ray.cluster.worker_link import WorkerDead
from ffrtmp_ray.core.messages import CancelRequested
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.errors import Problem, StoreUnavailable
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.workspace import Workspace
from ffrtmp_ray.store.memory import MemoryStore, Rows
from tests.cluster.farms import QUICK, NoMachines
from tests.store.samples import added, attempt, job, task


class Cleaner:
    """A worker that removes files, as far as it is alive."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.alive = True

    async def discard(self, job_id: str, attempts: frozenset[str]) -> None:
        if not self.alive:
            raise WorkerDead("gone")
        for each in attempts:
            self._workspace.remove(job_id, each)


@pytest.fixture
def rows() -> Rows:
    """Jobs 1 to 3 have ended long ago; each has left files."""
    rows = Rows()
    store = MemoryStore(rows)
    epoch = store.take_epoch("test", "1")
    for number in (1, 2, 3):
        one = job(number, JobState.COMPLETED, finished_at=1_000_100.0 + number)
        tried = attempt(task(one), ended_at=1_000_100.0, outcome="succeeded")
        store.commit(epoch, added(one, task(one), tried))
    return rows


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path / "workspace")
    for number in (1, 2, 3):
        folder = workspace.attempt(f"job{number}", attempt(task(job(number))).id)
        folder.mkdir(parents=True)
        (folder / "chunk.mp4").write_bytes(b"frames")
    return workspace


@pytest.fixture
def cleaner(workspace: Workspace) -> Cleaner:
    return Cleaner(workspace)


@pytest.fixture
async def life(tmp_path: Path, rows: Rows, cleaner: Cleaner) -> AsyncIterator[Life]:
    store = MemoryStore(rows)
    life = Life(
        Settings(state_dir=tmp_path),
        NoMachines(),
        store,
        store.take_epoch("test", "1"),
        store.load(),
    )
    await life.begin()
    life.handles["worker-a"] = cast("WorkerHandle", cleaner)
    yield life
    for duty in life._duties:
        duty.cancel()


def keeping(life: Life, seconds: float = 3600.0) -> Retention:
    return Retention(life, life.store, life.epoch, seconds)


def left(life: Life) -> list[int]:
    return [number for number in (1, 2, 3) if life.store.job(f"job{number}") is not None]


async def depend(life: Life, job_id: str, on: str) -> None:
    spec = JobSpec(input="/in.mp4", output="/out.mp4", ladder=QUICK, depends_on=(on,))
    event = submission(job_id, spec, settings=life.settings)
    (accepted,) = await Intake(life, 10).submit([event], again=False)
    assert not isinstance(accepted, Problem)


async def test_old_jobs_go_with_their_files_and_no_more_than_that(
    life: Life, workspace: Workspace
) -> None:
    young = job(4, JobState.COMPLETED, finished_at=life.now())
    life.store.commit(life.epoch, added(young))
    assert await keeping(life).remove_batch() == 3
    assert left(life) == []
    assert list(workspace.root.iterdir()) == []
    assert life.store.job(young.id) is not None
    assert await keeping(life).remove_batch() == 0


async def test_a_job_that_an_unfinished_one_depends_on_stays_until_that_has_ended(
    life: Life,
) -> None:
    await depend(life, "later", on="job2")
    await keeping(life).remove_batch()
    assert left(life) == [2]

    await life.apply([CancelRequested("later", "test")])

    await keeping(life).remove_batch()
    assert left(life) == []


async def test_what_is_depended_on_is_known_after_a_restart() -> None:
    waiting = job(5, depends_on=("job1", "job3"))
    dependents = Dependents([waiting, job(6)])
    assert dependents.needed() == {"job1", "job3"}
    dependents.note(job(5, JobState.FAILED, depends_on=("job1", "job3")))
    assert dependents.needed() == set()
    dependents.note(waiting)  # tried again
    assert dependents.needed() == {"job1", "job3"}


async def test_a_job_keeps_its_row_while_nobody_can_remove_its_files(
    life: Life, cleaner: Cleaner, workspace: Workspace
) -> None:
    cleaner.alive = False
    assert await keeping(life).remove_batch() == 0
    assert left(life) == [1, 2, 3]

    cleaner.alive = True
    assert await keeping(life).remove_batch() == 3
    assert list(workspace.root.iterdir()) == []


async def test_no_job_is_removed_while_its_rows_are_acted_on(life: Life) -> None:
    async with life.finished_rows:
        removing = asyncio.create_task(keeping(life).remove_batch())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(removing), 0.05)
        assert left(life) == [1, 2, 3]
    assert await removing == 3


async def test_a_batch_is_no_larger_than_one_transaction_should_be(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH_ATTEMPTS", 2)
    assert [await keeping(life).remove_batch() for _ in range(3)] == [2, 1, 0]
    monkeypatch.setattr(retention, "BATCH_ATTEMPTS", 0)
    old = job(5, JobState.FAILED, finished_at=1_000_000.0)
    life.store.commit(life.epoch, added(old, task(old), attempt(task(old), ended_at=1.0)))
    assert await keeping(life).remove_batch() == 1  # a job that is larger goes by itself


async def test_it_goes_on_when_the_store_could_not_be_written(
    life: Life, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "LOOK_SECONDS", 0.01)
    tries = 0
    loop, allowed = asyncio.get_running_loop(), asyncio.Event()

    def hook(_changes: Any) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise StoreUnavailable("for a moment")
        loop.call_soon_threadsafe(allowed.set)

    store = MemoryStore(rows, before_commit=hook)
    running = asyncio.create_task(Retention(life, store, life.epoch, 3600.0).run())
    await asyncio.wait_for(allowed.wait(), 10)
    await life.write(lambda: None)  # after the removal, in the same thread
    running.cancel()
    assert left(life) == []
