"""Workers over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from ffrtmp_ray.errors import SchedulerUnavailable
from ffrtmp_ray.views import WorkerView

from ..ports import TheGateway
from ..problems import documented

router = APIRouter(tags=["workers"])


@router.get("/workers", summary="List workers", responses=documented(SchedulerUnavailable))
async def workers(gateway: TheGateway) -> list[WorkerView]:
    """What each can do, what it does, and how busy its machine is."""
    return await gateway.workers()
