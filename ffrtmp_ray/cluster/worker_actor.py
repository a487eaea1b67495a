"""A worker as Ray and the scheduler know it; `cluster.workbench` does the work.

Whoever finds an actor loads its class, so nothing is loaded here of what workers do: the scheduler,
which finds its workers when it is started again, has no time for that.
"""

from __future__ import annotations

from ffrtmp_ray.cluster.protocol import Answer, Order
from ffrtmp_ray.core.model import AttemptId, JobId, Worker
from ffrtmp_ray.settings import Settings


class WorkerActor:
    """Each method is the Workbench's of that name."""

    def __init__(self, identity: Worker, settings: Settings, gpu: int | None = None) -> None:
        from ffrtmp_ray.cluster.workbench import Workbench  # see the head of this file

        self._bench = Workbench(identity, settings, gpu)

    async def hello(self) -> tuple[int, Worker]:
        return await self._bench.hello()

    async def sync(self, order: Order) -> None:
        await self._bench.sync(order)

    async def poll(self, epoch: int, acknowledged: int) -> Answer:
        return await self._bench.poll(epoch, acknowledged)

    async def tail(self, attempt_id: AttemptId) -> str | None:
        return await self._bench.tail(attempt_id)

    async def discard(self, job_id: JobId, attempts: frozenset[AttemptId]) -> None:
        await self._bench.discard(job_id, attempts)

    async def close(self) -> None:
        await self._bench.close()
