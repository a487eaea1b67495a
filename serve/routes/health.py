"""Whether the API is up, and whether the farm behind it is ready."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response, status
from pydantic import BaseModel, Field

from ffrtmp_ray.views import ReadyView

from ..ports import TheGateway

router = APIRouter(tags=["health"])


class HealthView(BaseModel):
    up: bool = True
    version: str = Field(description="Of the API's own code.")


@router.get("/health", summary="Is the API up?")
async def health(request: Request) -> HealthView:
    """Asks nothing of anyone: it answers while this process does."""
    return HealthView(version=request.app.version)


@router.get(
    "/ready",
    summary="Is the farm ready?",
    responses={
        status.HTTP_503_SERVICE_UNAVAILABLE: {
            "model": ReadyView,
            "description": "Not ready; `reasons` says what is missing.",
        }
    },
)
async def ready(gateway: TheGateway, response: Response) -> ReadyView:
    """Ready when the scheduler answers, the store can be written and there is a worker."""
    view = await gateway.ready()
    if not view.ready:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return view
