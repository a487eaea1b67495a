"""The kinds of problem over HTTP: what the `type` of an error's body leads to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ..problems import STATUS, documented, title

router = APIRouter(prefix="/problems", tags=["problems"])


class KindView(BaseModel):
    name: str = Field(description="The last part of a problem's `type`.", examples=["JobNotFound"])
    status: int = Field(description="The HTTP status that it is answered with.", examples=[404])
    title: str = Field(description="What it means.", examples=["No job has that id."])


_KINDS = {
    kind.__name__: KindView(name=kind.__name__, status=status, title=title(kind))
    for kind, status in STATUS.items()
}


@router.get("", summary="List the kinds of problem")
async def kinds() -> list[KindView]:
    """Every `type` that an error's body can have, `about:blank` apart."""
    return list(_KINDS.values())


@router.get("/{name}", summary="Explain a kind of problem", responses=documented())
async def kind(name: Annotated[str, Path(examples=["JobNotFound"])]) -> KindView:
    if name not in _KINDS:
        raise HTTPException(404)
    return _KINDS[name]
