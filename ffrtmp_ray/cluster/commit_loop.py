"""Commit, then act, then answer: the one place where events reach the engine and the store.

Events that arrive while a commit is under way are gathered and committed together (group
commit). Nobody is answered, and no command goes out, before the commit that holds it is on disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

import structlog

from ffrtmp_ray.cluster.clock import Clock
from ffrtmp_ray.core.messages import Change, Event, Outcome, Tick
from ffrtmp_ray.core.scheduler import Scheduler
from ffrtmp_ray.errors import FfrtmpError, IllegalTransition
from ffrtmp_ray.store.protocol import Store

Result: TypeAlias = Outcome | FfrtmpError
"""Of one event: what followed, or why it was refused (then nothing followed)."""

TURN_SECONDS = 0.05
"""How long one turn handles events before it commits, so that no caller waits for a flood."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Request:
    events: Sequence[Event]
    results: asyncio.Future[list[Result]]


class CommitLoop:
    """Runs the engine over a store.

    `act` is called with the outcomes of a turn after their commit; it must not block. `die` is
    called when a commit fails: memory would be ahead of the store, so the process must end.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        store: Store,
        epoch: int,
        clock: Clock,
        *,
        act: Callable[[Sequence[Outcome]], None],
        die: Callable[[BaseException], NoReturn],
    ) -> None:
        self._scheduler = scheduler
        self._store = store
        self._epoch = epoch
        self._clock = clock
        self._act = act
        self._die = die
        self._inbox: list[_Request] = []
        self._arrived = asyncio.Event()
        self._writer = ThreadPoolExecutor(1, "store-writer")
        self._committed = asyncio.Event()
        self._committed.set()

    async def apply(self, events: Sequence[Event]) -> list[Result]:
        """Have `events` handled in their order; return when all that follows is on disk."""
        results: asyncio.Future[list[Result]] = asyncio.get_running_loop().create_future()
        self._inbox.append(_Request(events, results))
        self._arrived.set()
        return await results

    async def settled(self) -> None:
        """Wait until what the engine holds is on disk.

        Until the caller awaits anything else, what it reads of the engine is committed.
        """
        while not self._committed.is_set():
            await self._committed.wait()

    async def write(self, work: Callable[[], None]) -> None:
        """Run `work` in the writer's thread, between commits."""
        await asyncio.get_running_loop().run_in_executor(self._writer, work)

    async def run(self) -> None:
        while True:
            await self._wait()
            try:
                await self._turn()
            except Exception as error:  # noqa: BLE001 - whatever it was, memory may be ahead
                self._die(error)

    async def _wait(self) -> None:
        wake_at = self._scheduler.next_wake
        timeout = None if wake_at is None else max(0.0, wake_at - self._clock.now())
        with suppress(TimeoutError):  # the engine's own time has come
            await asyncio.wait_for(self._arrived.wait(), timeout)

    async def _turn(self) -> None:
        outcomes: list[Outcome] = []
        answers: list[tuple[_Request, list[Result]]] = []
        began = time.monotonic()
        while self._inbox and time.monotonic() - began < TURN_SECONDS:
            request = self._inbox.pop(0)
            answers.append((request, [self._handle(event, outcomes) for event in request.events]))
        if not self._inbox:
            self._arrived.clear()
        wake_at = self._scheduler.next_wake
        if wake_at is not None and wake_at <= self._clock.now():
            self._handle(Tick(), outcomes)
        await self._commit([change for outcome in outcomes for change in outcome.changes])
        self._act(outcomes)
        for request, results in answers:
            if not request.results.done():
                request.results.set_result(results)

    def _handle(self, event: Event, outcomes: list[Outcome]) -> Result:
        try:
            outcome = self._scheduler.handle(event, self._clock.now())
        except IllegalTransition:
            raise
        except FfrtmpError as refusal:
            return refusal
        outcomes.append(outcome)
        return outcome

    async def _commit(self, changes: list[Change]) -> None:
        if not changes:
            return
        self._committed.clear()
        await self.write(lambda: self._store.commit(self._epoch, changes))
        self._committed.set()
