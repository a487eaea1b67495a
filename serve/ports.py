"""What the HTTP edge needs of the cluster. `ffrtmp_ray.cluster.gateway` does it; tests fake it.

The routes know these methods and nothing of Ray.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from ffrtmp_ray.errors import Problem
from ffrtmp_ray.media.spec import JobChange, JobSpec
from ffrtmp_ray.metrics import Readings
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.store.protocol import JobQuery
from ffrtmp_ray.views import Action, JobDetail, JobList, JobView, LogView, ReadyView, WorkerView


class Gateway(Protocol):
    """Every method but `ready` raises Unavailable when the scheduler or the store is away."""

    async def submit(self, spec: JobSpec) -> JobDetail:
        """Accept a job, durably. Raises a CallerError when it cannot be had as it is asked."""
        ...

    async def submit_many(self, specs: Sequence[JobSpec]) -> list[JobView | Problem]:
        """Accept jobs in one commit, and answer for each in their order."""
        ...

    async def job(self, job_id: str) -> JobDetail:
        """Raises JobNotFound."""
        ...

    async def jobs(self, query: JobQuery) -> JobList: ...

    async def control(self, job_id: str, action: Action, who: str) -> JobDetail:
        """Do `action` and return the job as it is then. Raises JobNotFound, Conflict."""
        ...

    async def change(self, job_id: str, change: JobChange, who: str) -> JobDetail:
        """Give an unfinished job another place in the order, or other labels, and return it as it
        is then. Raises JobNotFound, Conflict."""
        ...

    async def logs(self, job_id: str) -> list[LogView]:
        """Raises JobNotFound."""
        ...

    async def workers(self) -> list[WorkerView]: ...

    async def drain(self, worker_id: str, *, on: bool) -> WorkerView:
        """Give a worker nothing new (`on`), or again. Raises WorkerNotFound."""
        ...

    async def ready(self) -> ReadyView:
        """Never raises: what does not answer is named in the view."""
        ...

    async def readings(self) -> Readings: ...

    async def settings(self) -> Settings:
        """Those that the farm works by."""
        ...


# Async, for FastAPI has what is not wait for a thread of its pool, at each request.
async def _gateway(request: Request) -> Gateway:
    return cast(Gateway, request.app.state.gateway)


TheGateway = Annotated[Gateway, Depends(_gateway)]
"""A route's parameter of this type is the gateway that `make_app` was given."""
