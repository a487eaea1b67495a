"""Commit, then act, then answer: nothing gets out before it is in the store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn

from ffrtmp_ray.cluster.clock import Clock
from ffrtmp_ray.cluster.commit_loop import CommitLoop
from ffrtmp_ray.core.messages import (
    CancelRequested,
    Change,
    JobSubmitted,
    Outcome,
    TaskAdded,
    TaskChanged,
)
from ffrtmp_ray.core.model import (
    Job,
    JobState,
    Needs,
    NewTask,
    Policy,
    Priority,
    Queue,
    Requirement,
    Resources,
    TaskState,
)
from ffrtmp_ray.core.scheduler import Scheduler
from ffrtmp_ray.errors import JobNotFound, StoreUnavailable
from ffrtmp_ray.store.memory import MemoryStore

PLAN = NewTask("plan", "plan", Needs((Requirement(Resources(plan_slots=1)),)))


class Died(Exception):
    """Stands for the end of the process."""


class SlowStore(MemoryStore):
    """A memory store whose commits wait until the test lets them go."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.commits: list[Sequence[Change]] = []
        self.trouble: Exception | None = None

    def commit(self, epoch: int, changes: Sequence[Change]) -> None:
        assert self.gate.wait(10)
        if self.trouble:
            raise self.trouble
        self.commits.append(changes)
        super().commit(epoch, changes)


class Bench:
    """A commit loop on a slow store, and what it did."""

    def __init__(self) -> None:
        self.store = SlowStore()
        self.epoch = self.store.take_epoch("test", "1")
        self.clock = Clock()
        self.scheduler = Scheduler(Policy(), self.epoch, now=self.clock.now())
        self.acted: list[Outcome] = []
        self.death: BaseException | None = None
        self.loop = CommitLoop(
            self.scheduler, self.store, self.epoch, self.clock, act=self.act, die=self.die
        )

    def act(self, outcomes: Sequence[Outcome]) -> None:
        self.acted += outcomes

    def die(self, error: BaseException) -> NoReturn:
        self.death = error
        raise Died

    def submitted(self, number: int, *, not_before: float | None = None) -> JobSubmitted:
        job = Job(
            id=f"job{number}",
            owner="me",
            queue=Queue.DEFAULT,
            priority=Priority.MEDIUM,
            state=JobState.PENDING,
            submitted_at=self.clock.now(),
            order=number,
            not_before=not_before,
        )
        return JobSubmitted(job, (PLAN,))


@asynccontextmanager
async def running(bench: Bench) -> AsyncIterator[None]:
    task = asyncio.create_task(bench.loop.run())
    try:
        yield
    finally:
        bench.store.gate.set()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0.005)


async def test_nobody_is_answered_and_nothing_is_done_before_the_commit() -> None:
    bench = Bench()
    async with running(bench):
        answer = asyncio.create_task(bench.loop.apply([bench.submitted(1)]))
        await turns()
        assert not answer.done()
        assert bench.acted == []
        bench.store.gate.set()
        assert isinstance((await answer)[0], Outcome)
        assert bench.store.job("job1") is not None
        assert len(bench.acted) == 1


async def test_what_arrives_during_a_commit_is_committed_together() -> None:
    bench = Bench()
    async with running(bench):
        first = asyncio.create_task(bench.loop.apply([bench.submitted(0)]))
        await turns()
        others = [
            asyncio.create_task(bench.loop.apply([bench.submitted(number)]))
            for number in range(1, 50)
        ]
        await turns()
        bench.store.gate.set()
        await asyncio.gather(first, *others)
    assert len(bench.store.commits) == 2


async def test_a_refused_event_is_answered_with_its_error_and_the_others_go_on() -> None:
    bench = Bench()
    bench.store.gate.set()
    async with running(bench):
        refused, accepted = await bench.loop.apply(
            [CancelRequested("nosuch", "me"), bench.submitted(1)]
        )
    assert isinstance(refused, JobNotFound)
    assert isinstance(accepted, Outcome)


async def test_a_failed_commit_ends_the_process_and_answers_nobody() -> None:
    bench = Bench()
    bench.store.gate.set()
    bench.store.trouble = StoreUnavailable("the disk is full")
    async with running(bench):
        answer = asyncio.create_task(bench.loop.apply([bench.submitted(1)]))
        await turns()
        assert bench.death is bench.store.trouble
        assert not answer.done()
        assert bench.acted == []
        answer.cancel()


async def test_reads_wait_until_what_they_would_see_is_committed() -> None:
    bench = Bench()
    async with running(bench):
        answer = asyncio.create_task(bench.loop.apply([bench.submitted(1)]))
        await turns()
        settled = asyncio.create_task(bench.loop.settled())
        await turns()
        assert not settled.done()
        bench.store.gate.set()
        await settled
        assert "job1" in bench.scheduler.jobs
        await answer


async def test_the_engine_is_called_when_its_own_time_has_come() -> None:
    bench = Bench()
    bench.store.gate.set()
    later = bench.clock.now() + 0.2
    async with running(bench):
        await bench.loop.apply([bench.submitted(1, not_before=later)])
        assert states(bench) == [TaskState.DELAYED]
        async with asyncio.timeout(10):
            while states(bench) != [TaskState.DELAYED, TaskState.READY]:
                await turns(1)
    assert bench.clock.now() >= later


def states(bench: Bench) -> list[TaskState]:
    """Through which its one task has gone, as the store has been told."""
    changes = (change for commit in bench.store.commits for change in commit)
    return [each.task.state for each in changes if isinstance(each, (TaskAdded, TaskChanged))]
