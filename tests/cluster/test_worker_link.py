"""The link to one worker: calls are lost, late or repeated, and it comes right all the same."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from ffrtmp_ray.cluster.clock import Pulse
from ffrtmp_ray.cluster.protocol import Answer, Order
from ffrtmp_ray.cluster.worker_link import WorkerDead, WorkerLink
from ffrtmp_ray.core.messages import Event, Level, TaskStarted, TaskStopped
from ffrtmp_ray.core.model import AttemptId, Resources, TaskState, Worker
from ffrtmp_ray.errors import StoreUnavailable
from ffrtmp_ray.media.assignment import Assignment

WORKER = Worker("w", "node", "host", "cpu", Resources(cpus=2))
SILENCE = 0.6


class FakeDesk:
    """The scheduler's side: remembers what it was told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.states: dict[AttemptId, TaskState] = {}
        self.lost_for: str | None = None
        self.superseded_by: int | None = None

    async def apply(self, events: Sequence[Event]) -> None:
        self.events += events

    def states_on(self, worker_id: str) -> Mapping[AttemptId, TaskState]:
        return self.states

    async def assignments(
        self, worker_id: str, attempts: Iterable[AttemptId]
    ) -> dict[AttemptId, Assignment]:
        return {a: Assignment(a, "task", "job", "encode", {}) for a in attempts}

    def superseded(self, epoch: int) -> None:
        self.superseded_by = epoch

    def lost(self, worker_id: str, reason: str) -> None:
        self.lost_for = reason


class FakeWorker:
    """Answers as the test has it: `trouble` is raised by the next calls, one each."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.acknowledged: list[int] = []
        self.sync_trouble: list[Exception] = []
        self.poll_trouble: list[Exception] = []
        self.answer: Callable[[], Answer] = lambda: Answer(1, self.revision)
        self.deaf = False
        self.unheard = 0

    @property
    def revision(self) -> int:
        return self.orders[-1].revision if self.orders else 0

    async def sync(self, order: Order) -> None:
        if self.sync_trouble:
            raise self.sync_trouble.pop(0)
        self.orders.append(order)

    async def poll(self, epoch: int, acknowledged: int) -> Answer:
        if self.deaf:
            self.unheard += 1
            await asyncio.Event().wait()
        await asyncio.sleep(0.01)
        if self.poll_trouble:
            raise self.poll_trouble.pop(0)
        self.acknowledged.append(acknowledged)
        return self.answer()


@asynccontextmanager
async def linked(worker: FakeWorker, desk: FakeDesk) -> AsyncIterator[WorkerLink]:
    pulse = Pulse()
    link = WorkerLink(WORKER, worker, desk, epoch=1, pulse=pulse, silence_seconds=SILENCE)
    tasks = [asyncio.create_task(link.run()), asyncio.create_task(pulse.run())]
    try:
        yield link
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        await asyncio.sleep(0.01)


async def test_an_order_goes_out_with_the_assignments_of_what_has_not_started() -> None:
    worker, desk = FakeWorker(), FakeDesk()
    desk.states = {"a": TaskState.PLACED, "b": TaskState.RUNNING}
    async with linked(worker, desk) as link:
        link.want({"a": Level.RUN, "b": Level.RUN})
        await until(lambda: worker.orders)
    assert worker.orders[0].attempts == {"a": Level.RUN, "b": Level.RUN}
    assert set(worker.orders[0].assignments) == {"a"}


async def test_an_order_that_was_lost_is_sent_again_with_a_higher_revision() -> None:
    worker, desk = FakeWorker(), FakeDesk()
    worker.sync_trouble = [ConnectionError("lost"), ConnectionError("lost")]
    async with linked(worker, desk) as link:
        link.want({"a": Level.RUN})
        await until(lambda: worker.orders)
    assert worker.orders[0].attempts == {"a": Level.RUN}
    assert worker.orders[0].revision == 3


async def test_the_last_of_several_orders_is_the_one_that_counts() -> None:
    worker, desk = FakeWorker(), FakeDesk()
    async with linked(worker, desk) as link:
        for wanted in ({"a": Level.RUN}, {"a": Level.SUSPEND}, {"b": Level.RUN}):
            link.want(wanted)
        await until(lambda: worker.orders and worker.orders[-1].attempts == {"b": Level.RUN})


async def test_reports_are_acknowledged_after_they_were_handled() -> None:
    worker, desk = FakeWorker(), FakeDesk()
    report = TaskStarted("w", "a")
    worker.answer = lambda: Answer(1, 0, reports=((7, report),))
    async with linked(worker, desk):
        await until(lambda: 7 in worker.acknowledged)
    assert desk.events[0] == report
    assert worker.acknowledged[0] == 0


async def test_a_poll_that_was_lost_is_repeated_with_the_same_acknowledgement() -> None:
    worker, desk = FakeWorker(), FakeDesk()
    worker.poll_trouble = [ConnectionError("lost")]
    async with linked(worker, desk):
        await until(lambda: worker.acknowledged)
    assert desk.lost_for is None
    assert worker.acknowledged[0] == 0


async def test_a_dead_worker_is_lost_at_once() -> None:
    worker, desk = FakeWorker(), FakeDesk()
    worker.poll_trouble = [WorkerDead("killed")]
    async with linked(worker, desk):
        await until(lambda: desk.lost_for)
    assert desk.lost_for == "killed"


async def test_a_link_that_fails_by_our_own_fault_loses_its_worker() -> None:
    worker, desk = FakeWorker(), FakeDesk()
    worker.sync_trouble = [KeyError("a defect")]
    async with linked(worker, desk) as link:
        link.want({"a": Level.RUN})
        await until(lambda: desk.lost_for)


async def test_an_order_waits_for_a_store_that_is_away() -> None:
    worker, desk = FakeWorker(), FakeDesk()
    worker.sync_trouble = [StoreUnavailable("locked")]
    async with linked(worker, desk) as link:
        link.want({"a": Level.RUN})
        await until(lambda: worker.orders)
    assert desk.lost_for is None


async def test_a_silent_worker_is_lost_after_its_time() -> None:
    worker, desk = FakeWorker(), FakeDesk()
    worker.deaf = True
    began = time.monotonic()
    async with linked(worker, desk):
        await until(lambda: desk.lost_for)
    assert time.monotonic() - began >= SILENCE


async def test_nobody_is_called_silent_while_we_stood_still_ourselves() -> None:
    worker, desk = FakeWorker(), FakeDesk()
    async with linked(worker, desk):
        await until(lambda: worker.acknowledged)
        worker.deaf = True
        await until(lambda: worker.unheard)
        time.sleep(Pulse.GAP + 0.3)  # noqa: ASYNC251 - the loop itself is to stand still
        awake_since = time.monotonic()
        await until(lambda: desk.lost_for)
    assert time.monotonic() - awake_since >= SILENCE


async def test_a_stop_that_the_worker_never_had_the_start_of_is_taken_for_done() -> None:
    worker, desk = FakeWorker(), FakeDesk()
    desk.states = {"a": TaskState.STOPPING}
    async with linked(worker, desk) as link:
        link.want({})
        await until(lambda: TaskStopped("w", "a") in desk.events)


async def test_a_stop_is_not_taken_for_done_while_the_worker_has_the_attempt() -> None:
    worker, desk = FakeWorker(), FakeDesk()
    desk.states = {"a": TaskState.STOPPING}
    worker.answer = lambda: Answer(1, worker.revision, attempts=frozenset({"a"}))
    async with linked(worker, desk) as link:
        link.want({})
        await until(lambda: link.heartbeats > 3 and worker.orders)
    assert desk.events == []


@pytest.mark.parametrize("revision", [0, 1])
async def test_a_stop_is_not_taken_for_done_before_its_order_has_got_through(revision: int) -> None:
    worker, desk = FakeWorker(), FakeDesk()
    desk.states = {"a": TaskState.STOPPING}
    worker.sync_trouble = [ConnectionError("lost")] * 1000
    worker.answer = lambda: Answer(1, revision)
    async with linked(worker, desk) as link:
        link.want({"a": Level.RUN})
        link.want({})
        await until(lambda: link.heartbeats > 3)
        assert desk.events == []


async def test_a_worker_that_knows_a_higher_epoch_ends_this_scheduler() -> None:
    worker, desk = FakeWorker(), FakeDesk()
    worker.answer = lambda: Answer(epoch=2, revision=0)
    async with linked(worker, desk):
        await until(lambda: desk.superseded_by == 2)
