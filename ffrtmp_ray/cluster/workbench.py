"""A worker: makes the attempts it runs equal to what is wanted, and tells how they go.

`cluster.worker_actor` is what Ray knows of it. It decides nothing: what to run comes in
orders, what happened goes out in reports that it keeps until they are acknowledged. It runs on
when the scheduler is gone.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, replace

import structlog
from msgspec import structs

from ffrtmp_ray.cluster.outbox import Outbox
from ffrtmp_ray.cluster.protocol import PROTOCOL, Answer, Order
from ffrtmp_ray.cluster.reconcile import is_news, reconcile
from ffrtmp_ray.core.messages import (
    Level,
    Report,
    TaskContinued,
    TaskFailed,
    TaskReplaced,
    TaskStarted,
    TaskStopped,
    TaskSucceeded,
    TaskSuspended,
)
from ffrtmp_ray.core.model import AttemptId, JobId, Usage, Worker, WorkerId
from ffrtmp_ray.hardware.detect import capabilities
from ffrtmp_ray.hardware.gpus import GpuReader, smallest_memory_mib
from ffrtmp_ray.hardware.usage import UsageReader
from ffrtmp_ray.media.assignment import Assignment, Ended, Failed, Replaced, Succeeded
from ffrtmp_ray.media.tasks import TaskRun, Toolbox
from ffrtmp_ray.settings import Settings

REMEMBERED = 10_000
"""Ended attempts whose ids are kept, so that a late order starts none of them again."""
USAGE_SECONDS = 5.0
"""Between two readings of the node's usage: one looks at all processes of the machine, and Ray's
metrics go out no more often."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Held:
    """An attempt that runs here."""

    run: TaskRun
    level: Level
    task: asyncio.Task[None]


class Workbench:
    """Holds one Ray reservation on one node: its CPUs, or one GPU.

    `identity` says which; its capabilities are found out here, by trying.
    """

    def __init__(self, identity: Worker, settings: Settings, gpu: int | None = None) -> None:
        self._identity = identity
        self._settings = settings
        self._gpu = gpu
        self._toolbox = Toolbox.open(settings)
        self._toolbox.start()
        self._usage = UsageReader()
        self._usage_at = float("-inf")
        self._last_usage: Usage | None = None
        self._epoch = 0
        self._polled_by = 0
        self._revision = 0
        self._held: dict[AttemptId, Held] = {}
        self._ended: deque[AttemptId] = deque(maxlen=REMEMBERED)
        self._outbox = Outbox()
        self._news = asyncio.Event()
        self._closing = False
        self._ready: asyncio.Task[Worker] | None = None

    # ---------------------------------------------------------------- what the scheduler calls

    async def hello(self) -> tuple[int, Worker]:
        """The protocol's number, and what this worker has and can do. Tries every encoder once."""
        if self._ready is None:
            self._ready = asyncio.create_task(self._find_out())
        return PROTOCOL, await asyncio.shield(self._ready)

    async def sync(self, order: Order) -> None:
        """Obey `order`, unless a newer one has been obeyed."""
        if self._closing or not is_news(order, epoch=self._epoch, revision=self._revision):
            return
        self._epoch, self._revision = order.epoch, order.revision
        steps = reconcile(
            order, {a: held.level for a, held in self._held.items()}, frozenset(self._ended)
        )
        for attempt_id in steps.stop:
            self._held[attempt_id].run.stop()
        for attempt_id in steps.suspend:
            self._set_level(attempt_id, Level.SUSPEND)
        for attempt_id in steps.resume:
            self._set_level(attempt_id, Level.RUN)
        for assignment in steps.start:
            self._start(assignment, order.attempts[assignment.attempt_id])

    async def poll(self, epoch: int, acknowledged: int) -> Answer:
        """What is new since report `acknowledged`; waits `poll_seconds` at most for news, but for
        the first poll of an epoch, to which all is new.

        A caller of an older epoch than one heard of gets no reports: it is superseded.
        """
        if epoch < self._epoch:
            return Answer(epoch=self._epoch, revision=self._revision)
        if epoch > self._epoch:
            self._epoch, self._revision = epoch, 0
        self._outbox.acknowledge(acknowledged)
        self._news.clear()
        known, self._polled_by = epoch == self._polled_by, epoch
        if known and not self._outbox:
            with suppress(TimeoutError):  # no news is an answer too: progress and usage
                await asyncio.wait_for(self._news.wait(), self._settings.poll_seconds)
        return self._answer()

    async def tail(self, attempt_id: AttemptId) -> str | None:
        """The end of what a running attempt's processes have printed; None when unknown."""
        held = self._held.get(attempt_id)
        return held.run.log if held else None

    async def discard(self, job_id: JobId, attempts: frozenset[AttemptId]) -> None:
        """Remove what ended `attempts` of an ended job left in the workspace and at its output."""
        await asyncio.to_thread(self._toolbox.clear_up, job_id, attempts)

    async def close(self) -> None:
        """Stop everything and let no process behind; nothing is started after this."""
        self._closing = True
        for held in self._held.values():
            held.run.stop()
        await asyncio.gather(*(held.task for held in self._held.values()))
        self._toolbox.close()

    # ---------------------------------------------------------------- its own work

    async def _find_out(self) -> Worker:
        detection = await capabilities(self._toolbox.ffmpeg, self._gpu)
        for encoder, reason in detection.refusals.items():
            log.info("encoder does not work here", encoder=encoder, reason=reason)
        capacity = self._identity.capacity
        memory = None if self._gpu is None else smallest_memory_mib(GpuReader().read())
        if memory is not None:
            capacity = structs.replace(capacity, gpu_memory_mib=memory)
        return structs.replace(
            self._identity, capabilities=detection.capabilities, capacity=capacity
        )

    def _start(self, assignment: Assignment, level: Level) -> None:
        run = TaskRun(replace(assignment, gpu=self._gpu), self._toolbox)
        if level is Level.SUSPEND:
            run.suspend()
        task = asyncio.create_task(self._carry_out(assignment.attempt_id, run))
        self._held[assignment.attempt_id] = Held(run, level, task)
        self._report(TaskStarted(self._identity.id, assignment.attempt_id))

    async def _carry_out(self, attempt_id: AttemptId, run: TaskRun) -> None:
        ended = await run.run()
        del self._held[attempt_id]
        self._ended.append(attempt_id)
        self._report(_report_of(self._identity.id, attempt_id, ended, run.log))

    def _set_level(self, attempt_id: AttemptId, level: Level) -> None:
        held = self._held[attempt_id]
        held.level = level
        if level is Level.SUSPEND:
            held.run.suspend()
            self._report(TaskSuspended(self._identity.id, attempt_id))
        else:
            held.run.resume()
            self._report(TaskContinued(self._identity.id, attempt_id))

    def _report(self, report: Report) -> None:
        self._outbox.add(report)
        self._news.set()

    def _answer(self) -> Answer:
        return Answer(
            epoch=self._epoch,
            revision=self._revision,
            reports=self._outbox.kept,
            attempts=frozenset(self._held) | self._outbox.attempts,
            progress={attempt_id: held.run.progress for attempt_id, held in self._held.items()},
            usage=self._read_usage(),
        )

    def _read_usage(self) -> Usage | None:
        """The node's usage, read anew at most every `USAGE_SECONDS`."""
        now = time.monotonic()
        if now - self._usage_at >= USAGE_SECONDS:
            self._usage_at = now
            self._last_usage = self._usage.read()
        return self._last_usage


def _report_of(worker_id: WorkerId, attempt_id: AttemptId, ended: Ended, text: str) -> Report:
    match ended:
        case Succeeded(result, spawn):
            return TaskSucceeded(worker_id, attempt_id, result, spawn, text)
        case Replaced(reason, spawn):
            return TaskReplaced(worker_id, attempt_id, reason, spawn, text)
        case Failed(failure):
            return TaskFailed(worker_id, attempt_id, failure, text)
        case _:
            return TaskStopped(worker_id, attempt_id, text)
