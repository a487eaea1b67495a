"""The named ladders over HTTP."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from ffrtmp_ray.media import presets as shipped
from ffrtmp_ray.media.spec import Ladder

router = APIRouter(tags=["presets"])


class PresetView(BaseModel):
    name: str = Field(description="What a job's `preset` says.")
    description: str
    ladder: Ladder


@router.get("/presets", summary="List presets")
async def presets() -> list[PresetView]:
    """Every named ladder, with its renditions."""
    loaded = (shipped.load(name) for name in shipped.names())
    return [
        PresetView(name=preset.name, description=preset.description, ladder=preset.ladder)
        for preset in loaded
    ]
