"""The fleet of a cluster whose machines come and go: it asks for some, and lets others go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from ffrtmp_ray.cluster.fleet import Fleet, WorkerHandle
from ffrtmp_ray.cluster.machines import Bundle
from ffrtmp_ray.cluster.protocol import PROTOCOL
from ffrtmp_ray.cluster.slots import Node, Slot
from ffrtmp_ray.core.messages import Event, WorkerJoined
from ffrtmp_ray.core.model import AttemptId, Needs, Requirement, Resources, TaskState, Worker
from ffrtmp_ray.settings import Settings
from tests.cluster.farms import NoMachines, quick_settings

WAITS = Needs((Requirement(Resources(cpus=2)),))


class Handle:
    def __init__(self, worker: Worker) -> None:
        self.worker = worker

    async def hello(self) -> tuple[int, Worker]:
        return PROTOCOL, self.worker


class Cluster(NoMachines):
    """Two nodes, and an autoscaler that does not answer at first."""

    def __init__(self) -> None:
        self.asked: list[Sequence[Bundle]] = []
        self.refusals = 1

    def nodes(self) -> list[Node]:
        return [Node("a", "host", 2, 0), Node("b", "host", 2, 0)]

    def create(self, worker: Worker, slot: Slot, settings: Settings) -> WorkerHandle:
        handle: Any = Handle(worker)
        return handle  # type: ignore[no-any-return]

    def request(self, bundles: Sequence[Bundle]) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError("nobody is there")
        self.asked.append(bundles)


class Desk:
    def __init__(self) -> None:
        self.workers: dict[str, Worker] = {}
        self.waiting: list[Needs] = []
        self.ended: list[tuple[str, bool]] = []
        self.busy: set[str] = set()
        """Nodes."""

    async def apply(self, events: Sequence[Event]) -> None:
        for event in events:
            assert isinstance(event, WorkerJoined)
            self.workers[event.worker.id] = event.worker

    def joined(self, worker: Worker, handle: WorkerHandle) -> None:
        pass

    def lost(self, worker_id: str, reason: str, *, orderly: bool = False) -> None:
        self.ended.append((self.workers.pop(worker_id).node_id, orderly))

    def unmet(self) -> Sequence[Needs]:
        return self.waiting

    def states_on(self, worker_id: str) -> Mapping[AttemptId, TaskState]:
        busy = self.workers[worker_id].node_id in self.busy
        return {"attempt": TaskState.RUNNING} if busy else {}

    def nodes(self) -> set[str]:
        return {worker.node_id for worker in self.workers.values()}


class Farm:
    def __init__(self, settings: Settings) -> None:
        self.cluster, self.desk = Cluster(), Desk()
        self.fleet = Fleet(self.cluster, self.desk, settings)

    async def until(self, condition: Any) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self.fleet.look_now()
                await asyncio.sleep(0.01)


@pytest.fixture
async def farm(tmp_path: Path) -> AsyncIterator[Farm]:
    farm = Farm(quick_settings(tmp_path, tmp_path, autoscale=True, idle_seconds=0.0))
    farm.desk.busy = {"a", "b"}
    run = asyncio.create_task(farm.fleet.run())
    await farm.until(lambda: farm.desk.nodes() == {"a", "b"})
    yield farm
    run.cancel()


async def test_machines_are_asked_for_while_something_waits_and_not_longer(farm: Farm) -> None:
    await farm.until(lambda: farm.cluster.asked == [()])
    farm.desk.waiting = [WAITS]
    await farm.until(lambda: len(farm.cluster.asked) == 2)
    farm.desk.waiting = []
    await farm.until(lambda: len(farm.cluster.asked) == 3)
    held = ({"CPU": 2}, {"CPU": 2})
    assert farm.cluster.asked == [(), (*held, {"CPU": 2}), ()]


async def test_the_worker_of_an_idle_machine_ends_in_order_and_comes_back_for_what_waits(
    farm: Farm,
) -> None:
    farm.desk.busy = {"a"}
    await farm.until(lambda: farm.desk.nodes() == {"a"})
    assert farm.desk.ended == [("b", True)]
    farm.desk.waiting = [WAITS]
    await farm.until(lambda: farm.desk.nodes() == {"a", "b"})
