"""Removes finished jobs that have been kept long enough: their files first, then their rows.

A little at a time, so that no commit waits for it. It decides nothing about unfinished jobs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Protocol, TypeVar

import structlog

from ffrtmp_ray.core.model import AttemptId, Job, JobId
from ffrtmp_ray.errors import StoreUnavailable
from ffrtmp_ray.store.protocol import FinishedJob, Store

LOOK_SECONDS = 60.0
"""Between two looks for jobs that are old enough; shorter where they are kept for less."""
BATCH_JOBS = 100
BATCH_ATTEMPTS = 500
"""In one transaction, at most; a job with more is removed by itself."""
PAUSE_SECONDS = 0.1
"""Between two batches: most of the time is the commits'."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


class RetentionDesk(Protocol):
    """What retention asks of the scheduler's process."""

    @property
    def finished_rows(self) -> asyncio.Lock:
        """Held by whoever acts on what it has read of finished jobs."""
        ...

    def now(self) -> float: ...

    def needed(self) -> Collection[JobId]:
        """Jobs that unfinished ones depend on."""
        ...

    async def read(self, work: Callable[[], T]) -> T: ...

    async def write(self, work: Callable[[], None]) -> None: ...

    async def discard(self, job_id: JobId, attempts: frozenset[AttemptId]) -> bool:
        """Whether a worker has removed what those attempts left."""
        ...


class Dependents:
    """The unfinished jobs that depend on others, followed through their changes."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._of = {job.id: job.depends_on for job in jobs if job.depends_on}

    def note(self, job: Job) -> None:
        """`job` has been added or has changed."""
        if not job.depends_on:
            return
        if job.state.terminal:
            self._of.pop(job.id, None)
        else:
            self._of[job.id] = job.depends_on

    def needed(self) -> set[JobId]:
        return {each for others in self._of.values() for each in others}


class Retention:
    """`keep_seconds`: how long a job is kept after its end."""

    def __init__(self, desk: RetentionDesk, store: Store, epoch: int, keep_seconds: float) -> None:
        self._desk = desk
        self._store = store
        self._epoch = epoch
        self._keep_seconds = keep_seconds

    async def run(self) -> None:
        between_looks = min(LOOK_SECONDS, max(1.0, self._keep_seconds / 10))
        while True:
            removed = 0
            try:
                removed = await self.remove_batch()
            except (StoreUnavailable, ValueError) as trouble:
                # Nothing is lost by removing them later; no life should end for it.
                log.warning("finished jobs were not removed", error=str(trouble))
            await asyncio.sleep(PAUSE_SECONDS if removed else between_looks)

    async def remove_batch(self) -> int:
        """Remove some jobs that are old enough, and return how many; 0 when no more can be."""
        async with self._desk.finished_rows:
            before, keep = self._desk.now() - self._keep_seconds, self._desk.needed()
            old = await self._desk.read(lambda: self._store.finished(before, BATCH_JOBS, keep))
            # Files first: of a job without a row nobody would know them.
            gone = [each.job_id for each in _batch(old) if await self._discarded(each)]
            if gone:
                await self._desk.write(lambda: self._store.remove(self._epoch, gone))
                log.info("finished jobs were removed", jobs=len(gone))
            return len(gone)

    async def _discarded(self, job: FinishedJob) -> bool:
        return not job.attempts or await self._desk.discard(job.job_id, job.attempts)


def _batch(jobs: Iterable[FinishedJob]) -> list[FinishedJob]:
    """The first of `jobs`: one at least, and no more than go in one transaction."""
    batch: list[FinishedJob] = []
    attempts = 0
    for job in jobs:
        attempts += len(job.attempts)
        if batch and attempts > BATCH_ATTEMPTS:
            break
        batch.append(job)
    return batch
