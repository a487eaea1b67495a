"""Keeps one worker in every slot of the cluster: follows nodes that join and leave.

Effects only; `cluster.slots` decides which workers there should be.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Protocol

import structlog
from msgspec.structs import replace

from ffrtmp_ray.cluster.machines import Bundle, Machines
from ffrtmp_ray.cluster.protocol import PROTOCOL
from ffrtmp_ray.cluster.slots import Node, Slot, missing, stranded
from ffrtmp_ray.cluster.worker_link import Handle, WorkerDead
from ffrtmp_ray.core.messages import DrainRequested, Event, WorkerJoined
from ffrtmp_ray.core.model import AttemptId, Needs, Resources, TaskState, Worker, WorkerId
from ffrtmp_ray.settings import Settings

LOOK_SECONDS = 1.0
"""Between two looks at the cluster's nodes, which cost some milliseconds. A worker that is gone is
noticed by its link at once, and looks are brought forward then."""
HELLO_SECONDS = 90.0
"""A worker that cannot be placed or does not come up by then is given up."""
AGAIN_SECONDS = 10.0
"""Before the next try at a slot whose worker did not come up."""

log = structlog.get_logger(__name__)


class WorkerHandle(Handle, Protocol):
    async def hello(self) -> tuple[int, Worker]: ...

    async def tail(self, attempt_id: str) -> str | None: ...

    async def discard(self, job_id: str, attempts: frozenset[str]) -> None: ...

    async def close(self) -> None: ...


class Cluster(Protocol):
    """The nodes and worker processes; `cluster.actors.RayFleet` has it over Ray."""

    def nodes(self) -> list[Node]: ...

    def create(self, worker: Worker, slot: Slot, settings: Settings) -> WorkerHandle: ...

    def find(self, worker_id: WorkerId) -> WorkerHandle | None: ...

    def unknown(self, known: set[WorkerId]) -> set[WorkerId]: ...

    def kill(self, worker_id: WorkerId) -> None: ...

    def stand_by(self, settings: Settings) -> None:
        """See to it that there is a scheduler beside the one that calls."""
        ...

    def request(self, bundles: Sequence[Bundle]) -> None:
        """Tell Ray's autoscaler what must fit on the cluster, in place of what it was told last."""
        ...


class FleetDesk(Protocol):
    """What the fleet asks of the scheduler's process."""

    @property
    def workers(self) -> Mapping[WorkerId, Worker]: ...

    async def apply(self, events: Sequence[Event]) -> object: ...

    def joined(self, worker: Worker, handle: WorkerHandle) -> None:
        """The worker is up: talk to it from now on."""
        ...

    def lost(self, worker_id: WorkerId, reason: str, *, orderly: bool = False) -> None:
        """It is gone; `orderly`, by our own wish."""
        ...

    def unmet(self) -> Sequence[Needs]:
        """Of tasks that have waited for room long enough to ask for a machine."""
        ...

    def states_on(self, worker_id: WorkerId) -> Mapping[AttemptId, TaskState]: ...


class Fleet:
    def __init__(self, cluster: Cluster, desk: FleetDesk, settings: Settings) -> None:
        self._cluster = cluster
        self._desk = desk
        self._settings = settings
        self._not_before: dict[tuple[str, str], float] = {}
        self._arrivals: set[asyncio.Task[None]] = set()
        self._outdated: set[WorkerId] = set()
        self._machines = Machines(
            idle_seconds=settings.idle_seconds, gpu_sessions=settings.gpu_sessions
        )
        self._asked: Sequence[Bundle] | None = None
        """For machines, last; None: nobody knows."""
        self._look = asyncio.Event()

    def look_now(self) -> None:
        """A worker is gone; fill its slot without waiting for the next look."""
        self._look.set()

    async def adopt(self) -> None:
        """Take over the workers of an earlier life of the scheduler, and end strays.

        A row is committed before its worker is made, so one without a row is nobody's.
        """
        for stray in self._cluster.unknown(set(self._desk.workers)):
            self._cluster.kill(stray)
        for worker in list(self._desk.workers.values()):
            handle = self._cluster.find(worker.id)
            if handle is None:
                self._desk.lost(worker.id, "it died while no scheduler ran")
            else:
                self._desk.joined(worker, handle)
                self._arrive(worker, handle)

    async def run(self) -> None:
        while True:
            nodes = self._cluster.nodes()
            workers = list(self._desk.workers.values())
            for worker_id in stranded(nodes, workers):
                self._desk.lost(worker_id, "its node has left the cluster")
            self._retire_outdated()
            resting = await self._scale(nodes, workers)
            now = time.monotonic()
            for slot in missing(nodes, workers):
                if slot.node_id not in resting and self._not_before.get(slot.key, 0.0) <= now:
                    self._not_before[slot.key] = now + AGAIN_SECONDS
                    await self._fill(slot)
            with suppress(TimeoutError):  # time for the next look
                await asyncio.wait_for(self._look.wait(), LOOK_SECONDS)
            self._look.clear()

    def _retire_outdated(self) -> None:
        """End workers of another protocol once they have nothing left to do."""
        for worker_id in [w for w in self._outdated if not self._desk.states_on(w)]:
            self._outdated.discard(worker_id)
            self._desk.lost(worker_id, "it gives way to one of this version")

    async def _scale(self, nodes: Sequence[Node], workers: Sequence[Worker]) -> frozenset[str]:
        """Ask for the machines that the farm should have, and end the workers of those that may
        go; gives the ids of these."""
        if not self._settings.autoscale:
            return frozenset()
        busy = {worker.id for worker in workers if self._desk.states_on(worker.id)}
        plan = self._machines.look(nodes, workers, busy, self._desk.unmet(), time.monotonic())
        for worker in workers:
            if worker.node_id in plan.resting:
                self._desk.lost(worker.id, "its machine has nothing to do", orderly=True)
        if plan.bundles != self._asked:
            try:
                await asyncio.to_thread(self._cluster.request, plan.bundles)
            except Exception as trouble:  # noqa: BLE001 - Ray raises what it likes; asked again
                log.warning("Ray's autoscaler cannot be asked", error=repr(trouble))
            else:
                log.info("asked for machines", bundles=len(plan.bundles))
                self._asked = plan.bundles
        return plan.resting

    async def _fill(self, slot: Slot) -> None:
        worker = Worker(
            id=f"worker-{slot.node_id[:8]}-{slot.device}-{uuid.uuid4().hex[:8]}",
            node_id=slot.node_id,
            hostname=slot.hostname,
            device=slot.device,
            capacity=Resources(),  # until it has said what it can do
        )
        await self._desk.apply([WorkerJoined(worker)])
        capacity = slot.capacity(self._settings)
        able = replace(worker, capacity=capacity)
        handle = await asyncio.to_thread(self._cluster.create, able, slot, self._settings)
        self._arrive(worker, handle)

    def _arrive(self, worker: Worker, handle: WorkerHandle) -> None:
        task = asyncio.create_task(self._greet(worker, handle))
        self._arrivals.add(task)
        task.add_done_callback(lambda done: self._arrived(worker.id, done))

    def _arrived(self, worker_id: WorkerId, task: asyncio.Task[None]) -> None:
        self._arrivals.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a worker was not welcomed", worker=worker_id, exc_info=task.exception())
            self._desk.lost(worker_id, f"it was not welcomed: {task.exception()!r}")

    async def _greet(self, worker: Worker, handle: WorkerHandle) -> None:
        try:
            protocol, said = await asyncio.wait_for(handle.hello(), HELLO_SECONDS)
        except TimeoutError:
            self._desk.lost(worker.id, f"it did not come up in {HELLO_SECONDS:g} s")
        except (WorkerDead, ConnectionError) as trouble:
            self._desk.lost(worker.id, f"it did not come up: {trouble}")
        else:
            await self._welcome(worker, said, protocol, handle)

    async def _welcome(
        self, worker: Worker, said: Worker, protocol: int, handle: WorkerHandle
    ) -> None:
        known = self._desk.workers.get(worker.id)
        if known is None:
            return  # lost meanwhile
        self._not_before.pop((worker.node_id, worker.device), None)
        if protocol != PROTOCOL:
            log.warning("a worker speaks another protocol", worker=worker.id, protocol=protocol)
            self._outdated.add(worker.id)
            await self._desk.apply([DrainRequested(worker.id)])
            self._desk.joined(worker, handle)
            return
        if known.capabilities != said.capabilities or known.capacity != said.capacity:
            await self._desk.apply([WorkerJoined(replace(said, draining=known.draining))])
        self._desk.joined(said, handle)
