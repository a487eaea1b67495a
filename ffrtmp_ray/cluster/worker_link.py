"""The scheduler's side of one worker: sends it orders, polls it, and notices when it is silent.

Orders are repeated until one has got through; one poll is always in flight, so that the death of
a worker is seen at once. Nothing is decided here: what it hears becomes events of the engine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn, Protocol

import structlog

from ffrtmp_ray.cluster.clock import Pulse
from ffrtmp_ray.cluster.protocol import Answer, Order
from ffrtmp_ray.core.messages import Event, Level, TaskStopped
from ffrtmp_ray.core.model import AttemptId, Progress, TaskState, Usage, Worker
from ffrtmp_ray.errors import StoreUnavailable
from ffrtmp_ray.media.assignment import Assignment

RETRY_SECONDS = 0.2
"""Between two tries at a call that failed."""

log = structlog.get_logger(__name__)


class WorkerDead(Exception):
    """The worker's process is gone for good, or has to be taken for it. Stays in this room."""


class Handle(Protocol):
    """How a worker is called; `cluster.actors` has it over Ray. Both raise WorkerDead, or
    ConnectionError when it is not known whether the call got through."""

    async def sync(self, order: Order) -> None: ...

    async def poll(self, epoch: int, acknowledged: int) -> Answer: ...


class Desk(Protocol):
    """What a link asks of the scheduler's process."""

    async def apply(self, events: Sequence[Event]) -> object: ...

    def states_on(self, worker_id: str) -> Mapping[AttemptId, TaskState]:
        """States of the tasks whose attempts the engine has on a worker."""
        ...

    async def assignments(
        self, worker_id: str, attempts: Iterable[AttemptId]
    ) -> dict[AttemptId, Assignment]: ...

    def superseded(self, epoch: int) -> None: ...

    def lost(self, worker_id: str, reason: str) -> None: ...


class WorkerLink:
    def __init__(
        self,
        worker: Worker,
        handle: Handle,
        desk: Desk,
        *,
        epoch: int,
        pulse: Pulse,
        silence_seconds: float,
    ) -> None:
        self.worker = worker
        self.progress: Mapping[AttemptId, Progress] = {}
        self.usage: Usage | None = None
        self.heartbeats = 0
        self.heard = asyncio.Event()
        """Set with the first answer."""
        self.heard_at = time.monotonic()
        self._handle = handle
        self._desk = desk
        self._epoch = epoch
        self._pulse = pulse
        self._silence = silence_seconds
        self._wanted: Mapping[AttemptId, Level] = {}
        self._revision = 0
        self._sent: Mapping[AttemptId, Level] = {}
        self._dirty = asyncio.Event()
        self._acknowledged = 0

    def want(self, attempts: Mapping[AttemptId, Level]) -> None:
        """Make this the wanted set; it goes out at once and until it has got through."""
        self._wanted = attempts
        self._dirty.set()

    async def run(self) -> None:
        """Serve the link until the worker is lost, or this is canceled.

        A link that fails by a defect of ours loses its worker too: one that nobody talks to would
        keep what it has for ever.
        """
        halves = {asyncio.create_task(self._send()), asyncio.create_task(self._listen())}
        try:
            done, _ = await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for half in halves:
                half.cancel()
            await asyncio.gather(*halves, return_exceptions=True)
        error = done.pop().exception()
        if not isinstance(error, WorkerDead):
            log.error("a link has failed", worker=self.worker.id, exc_info=error)
        self._desk.lost(self.worker.id, str(error))

    # ---------------------------------------------------------------- orders

    async def _send(self) -> NoReturn:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            try:
                order = await self._next_order()
                await asyncio.wait_for(self._handle.sync(order), self._silence)
            except (ConnectionError, TimeoutError, StoreUnavailable):
                self._dirty.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def _next_order(self) -> Order:
        self._revision += 1
        wanted = self._sent = dict(self._wanted)
        states = self._desk.states_on(self.worker.id)
        unconfirmed = [a for a in wanted if states.get(a) is TaskState.PLACED]
        assignments = await self._desk.assignments(self.worker.id, unconfirmed)
        return Order(self._epoch, self._revision, wanted, assignments)

    # ---------------------------------------------------------------- polls

    async def _listen(self) -> NoReturn:
        """Poll until the worker is lost: raises WorkerDead, with the reason."""
        while True:
            try:
                await self._heard(await self._poll())
            except ConnectionError:
                self._judge("it could not be reached")
                await asyncio.sleep(RETRY_SECONDS)

    async def _poll(self) -> Answer:
        call = asyncio.ensure_future(self._handle.poll(self._epoch, self._acknowledged))
        try:
            while not call.done():
                await asyncio.wait({call}, timeout=Pulse.BEAT)
                if not call.done():
                    self._judge("it has answered nothing")
            return call.result()
        finally:
            call.cancel()

    def _judge(self, what: str) -> None:
        """Raises WorkerDead when the worker has been silent for too long."""
        if self._pulse.silence(self.heard_at) > self._silence:
            raise WorkerDead(f"{what} for {self._silence:g} s")

    async def _heard(self, answer: Answer) -> None:
        if answer.epoch > self._epoch:
            self._desk.superseded(answer.epoch)
            return
        self.heard_at = time.monotonic()
        self.heartbeats += 1
        self.progress, self.usage = answer.progress, answer.usage
        self.heard.set()
        events: list[Event] = [report for _, report in answer.reports]
        events += self._stopped_unheard(answer)
        if events:
            await self._desk.apply(events)
        if answer.reports:
            self._acknowledged = answer.reports[-1][0]

    def _stopped_unheard(self, answer: Answer) -> list[Event]:
        """Attempts ordered to stop that the worker does not have: it never got their start.

        Sure only when the worker has obeyed the very last order, and that did not name them.
        """
        if answer.revision != self._revision or self._dirty.is_set():
            return []
        return [
            TaskStopped(self.worker.id, attempt_id)
            for attempt_id, state in self._desk.states_on(self.worker.id).items()
            if state is TaskState.STOPPING
            and attempt_id not in self._sent
            and attempt_id not in answer.attempts
        ]
