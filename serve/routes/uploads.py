"""Uploads over HTTP: sent in one request or in several, each going on where the last one broke."""

from __future__ import annotations

import asyncio
import errno
import re
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Path, Request, Response, status
from starlette.requests import ClientDisconnect

from ffrtmp_ray.errors import Conflict, InvalidRequest, SchedulerUnavailable, UploadNotFound
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.uploads import Arriving, Upload, Uploads
from ffrtmp_ray.views import UploadView

from ..ports import TheGateway
from ..problems import documented

PATH = "/uploads/"

router = APIRouter(prefix=PATH.rstrip("/"), tags=["uploads"])

_BLOCK = 1024 * 1024
"""Bytes that are gathered before a thread writes them."""
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")

Name = Annotated[str, Path(description="What the upload is called.", max_length=200)]


@dataclass(frozen=True, slots=True)
class _Span:
    """What a request brings: bytes from `start` on and before `end`, of `total`."""

    start: int
    end: int
    total: int


@router.put(
    "/{name}",
    summary="Send a file",
    status_code=status.HTTP_201_CREATED,
    responses={
        **documented(Conflict, InvalidRequest, SchedulerUnavailable),
        status.HTTP_201_CREATED: {"description": "It is complete, and can be an input."},
        status.HTTP_202_ACCEPTED: {"model": UploadView, "description": "More of it is to come."},
    },
)
async def put(
    name: Name,
    gateway: TheGateway,
    request: Request,
    response: Response,
    content_range: Annotated[str | None, Header()] = None,
) -> UploadView:
    """The body is the file, or with `Content-Range: bytes 100-199/1000` a part of it, which begins
    where the file has come to (`HEAD` says how far). What was sent over a connection that broke is
    kept for some days; without `Content-Range` the file begins anew. A complete one is the input
    `upload://NAME` of jobs, and stays until it is deleted."""
    settings = await gateway.settings()
    span = _span(request, content_range)
    uploads = _uploads(settings)
    _check_size(settings, span)
    await asyncio.to_thread(uploads.sweep, time.time())
    try:
        with ExitStack() as held:
            receiving = uploads.receive(name, span.start, span.total)
            arriving = await asyncio.to_thread(held.enter_context, receiving)
            arrived = span.start + await _write(request, arriving)
            if arrived == span.total:
                await asyncio.to_thread(arriving.complete)
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise HTTPException(
                status.HTTP_507_INSUFFICIENT_STORAGE, "there is no room for this file"
            ) from error
        raise
    if arrived < span.total:
        response.status_code = status.HTTP_202_ACCEPTED
    return _view(Upload(name, arrived, complete=arrived == span.total))


@router.get(
    "/{name}",
    summary="Show an upload",
    responses=documented(UploadNotFound, InvalidRequest, SchedulerUnavailable),
)
async def get(name: Name, gateway: TheGateway) -> UploadView:
    """How far it is. `HEAD` says the same in `Upload-Offset` and `Upload-Complete`."""
    uploads = _uploads(await gateway.settings())
    return _view(await asyncio.to_thread(uploads.find, name))


@router.head(
    "/{name}",
    summary="Ask how far an upload is",
    responses=documented(UploadNotFound, InvalidRequest, SchedulerUnavailable),
)
async def head(name: Name, gateway: TheGateway) -> Response:
    """`Upload-Offset` has the bytes that are here, `Upload-Complete` `?1` or `?0`."""
    view = await get(name, gateway)
    headers = {
        "Upload-Offset": str(view.received),
        "Upload-Complete": "?1" if view.complete else "?0",
        "Cache-Control": "no-store",
    }
    return Response(headers=headers)


@router.delete(
    "/{name}",
    summary="Remove an upload",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=documented(UploadNotFound, InvalidRequest, SchedulerUnavailable),
)
async def delete(name: Name, gateway: TheGateway) -> None:
    """Jobs that still read it fail."""
    uploads = _uploads(await gateway.settings())
    await asyncio.to_thread(uploads.remove, name)


async def _write(request: Request, arriving: Arriving) -> int:
    """How many bytes have come and are written; fewer than were announced when the caller went."""
    written, block = 0, bytearray()
    try:
        async for piece in request.stream():
            block += piece
            if len(block) >= _BLOCK:
                await asyncio.to_thread(arriving.write, bytes(block))
                written += len(block)
                block.clear()
    except ClientDisconnect:
        pass  # what came is kept
    await asyncio.to_thread(arriving.write, bytes(block))
    return written + len(block)


def _span(request: Request, content_range: str | None) -> _Span:
    length = request.headers.get("Content-Length")
    if length is None:
        raise HTTPException(status.HTTP_411_LENGTH_REQUIRED, "say the length of the body")
    if content_range is None:
        return _Span(0, int(length), int(length))
    found = _CONTENT_RANGE.fullmatch(content_range)
    span = _Span(int(found[1]), int(found[2]) + 1, int(found[3])) if found else _Span(0, 0, 0)
    if not span.start < span.end <= span.total or span.end - span.start != int(length):
        raise InvalidRequest(
            f"{content_range!r} is not what a body of {length} bytes is of a file",
            where="Content-Range",
            remedy="write it as `bytes FIRST-LAST/TOTAL`, counted from 0",
        )
    return span


def _check_size(settings: Settings, span: _Span) -> None:
    if span.total > settings.upload_max_bytes:
        raise HTTPException(
            status.HTTP_413_CONTENT_TOO_LARGE,
            f"the file has {span.total} bytes, and {settings.upload_max_bytes} are allowed",
        )
    if not span.total:
        raise InvalidRequest("the file is empty", where="body", remedy="send another")


def _uploads(settings: Settings) -> Uploads:
    return Uploads(
        settings.workspace_dir,
        max_age_seconds=settings.upload_days * 86400,
        min_free_bytes=settings.min_free_bytes,
    )


def _view(upload: Upload) -> UploadView:
    return UploadView(
        name=upload.name, received=upload.received, complete=upload.complete, input=upload.place
    )
