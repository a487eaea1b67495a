"""Workers over HTTP: list, drain."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from ffrtmp_ray.errors import SchedulerUnavailable, StoreUnavailable, WorkerNotFound
from ffrtmp_ray.views import WorkerView

from ..ports import TheGateway
from ..problems import documented

router = APIRouter(prefix="/workers", tags=["workers"])

WorkerIdPath = Annotated[str, Path(description="The worker's id.", max_length=200)]

_ON_DRAIN = documented(WorkerNotFound, SchedulerUnavailable, StoreUnavailable)


@router.get("", summary="List workers", responses=documented(SchedulerUnavailable))
async def workers(gateway: TheGateway) -> list[WorkerView]:
    """What each can do, what it does, and how busy its machine is."""
    return await gateway.workers()


@router.post("/{worker_id}/drain", summary="Drain a worker", responses=_ON_DRAIN)
async def drain(worker_id: WorkerIdPath, gateway: TheGateway) -> WorkerView:
    """It finishes what it has and is given nothing new, until it is told otherwise or gone: its
    machine can be taken away once `jobs` is empty."""
    return await gateway.drain(worker_id, on=True)


@router.delete("/{worker_id}/drain", summary="Stop draining a worker", responses=_ON_DRAIN)
async def undrain(worker_id: WorkerIdPath, gateway: TheGateway) -> WorkerView:
    """It is given work again."""
    return await gateway.drain(worker_id, on=False)
