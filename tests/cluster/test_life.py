"""Reads of what is stored and what runs go together; what owners have had outlives a life."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ffrtmp_ray.cluster.intake import numbered
from ffrtmp_ray.cluster.life import Life
from ffrtmp_ray.cluster.submission import submission
from ffrtmp_ray.core.messages import CancelRequested, WorkerJoined
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.store.memory import MemoryStore
from ffrtmp_ray.store.protocol import JobRecord
from tests.cluster.farms import QUICK, NoMachines
from tests.core.farm import make_worker


@pytest.fixture
async def life(tmp_path: Path) -> AsyncIterator[Life]:
    settings = Settings(state_dir=tmp_path)
    store = MemoryStore()
    life = Life(settings, NoMachines(), store, store.take_epoch("test", "1"), store.load())
    await life.begin()
    course = asyncio.create_task(life.run())
    yield life
    course.cancel()


async def test_a_job_that_ends_while_it_is_read_is_read_again(life: Life) -> None:
    spec = JobSpec(input="/in.mp4", output="/out.mp4", ladder=QUICK)
    now = life.clock.now()
    await life.apply([numbered(submission("job", spec, life.settings), 1, now)])
    loop = asyncio.get_running_loop()
    reads: list[JobState] = []

    def read() -> JobRecord:
        record = life.store.job("job")
        assert record is not None
        reads.append(record.job.state)
        if len(reads) == 1:
            ending = life.apply([CancelRequested("job", "test")])
            asyncio.run_coroutine_threadsafe(ending, loop).result(10)
        return record

    record = await life.read_jobs(read, lambda found: (found.job,))

    assert record.job.state is JobState.CANCELED
    assert reads == [JobState.PENDING, JobState.CANCELED]


class WithoutProcesses(NoMachines):
    """A cluster of workers that are rows alone."""

    def kill(self, worker_id: str) -> None:
        """There is none."""


async def test_a_life_that_ends_leaves_the_next_one_what_owners_have_had(tmp_path: Path) -> None:
    settings, store = Settings(state_dir=tmp_path), MemoryStore()
    life = Life(settings, WithoutProcesses(), store, store.take_epoch("test", "1"), store.load())
    await life.begin()
    spec = JobSpec(input="/in.mp4", output="/out.mp4", ladder=QUICK, owner="ann")
    now = life.clock.now()
    await life.apply(
        [WorkerJoined(make_worker()), numbered(submission("job", spec, settings), 1, now)]
    )
    assert store.load().snapshot.shares.served == {}

    await life.end()

    assert store.load().snapshot.shares.served["ann"] > 0.0
