"""A small web server on loopback, for one attempt, by which its processes read a file elsewhere.

ffmpeg resolves names and follows redirects by itself, and its command line is for all to see. So
it opens this and nothing else: what is read from where is decided in this process, with
credentials that never leave it.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncGenerator
from contextlib import suppress
from urllib.parse import quote

from aiohttp import web

from ffrtmp_ray.errors import InputRefused, MachineError, StorageUnavailable
from ffrtmp_ray.storage.origin import Origin

FIRST_BLOCK = 256 * 1024
LARGEST_BLOCK = 8 * 1024 * 1024
"""Bytes. A reader that has just sought gets little; the longer it reads on, the more at a time. One
block is fetched ahead, so that the network and the decoder work at the same time; no more, for a
decoder that seeks away has no use for it."""
_SHARE = 4
"""A block is such a part of what was read before it, so that little is fetched for nothing."""


class Relay:
    """Serves `origin`, of `size` bytes, under an address that cannot be guessed."""

    def __init__(self, origin: Origin, size: int, name: str) -> None:
        self._origin = origin
        self._size = size
        self._path = f"/{secrets.token_urlsafe(32)}/{quote(name, safe='')}"
        self._runner = web.ServerRunner(
            web.Server(self._answer, access_log=None, handler_cancellation=True),
            shutdown_timeout=0.1,
        )
        self.fault: InputRefused | MachineError | StorageUnavailable | None = None
        """Why a reader was not given what it asked for."""

    async def start(self) -> str:
        """Listen; the URL to read from."""
        await self._runner.setup()
        listener = socket.create_server(("127.0.0.1", 0))
        # the system would keep megabytes on the way to a reader that is about to seek away
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, FIRST_BLOCK)
        await web.SockSite(self._runner, listener).start()
        _, port = self._runner.addresses[0]
        return f"http://127.0.0.1:{port}{self._path}"

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if not secrets.compare_digest(request.rel_url.raw_path, self._path):
            return web.Response(status=404)
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405)
        try:
            wanted = request.http_range
        except ValueError:
            return web.Response(status=400)
        start, end, _ = wanted.indices(self._size)
        if start >= end:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{self._size}"})
        response = web.StreamResponse(
            status=206 if "Range" in request.headers else 200,
            headers={"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream"},
        )
        if response.status == 206:
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{self._size}"
        response.content_length = end - start
        await response.prepare(request)
        if request.method == "GET":
            await self._send(request, response, start, end)
        return response

    async def _send(
        self, request: web.BaseRequest, response: web.StreamResponse, start: int, end: int
    ) -> None:
        blocks = self._blocks(start, end)
        try:
            with suppress(ConnectionResetError):  # the reader has sought away
                async for block in blocks:
                    await response.write(block)
        except (InputRefused, MachineError, StorageUnavailable) as fault:
            self.fault = self.fault or fault
            if request.transport is not None:
                request.transport.abort()  # it must not take what it has for all
        finally:
            await blocks.aclose()

    async def _blocks(self, start: int, end: int) -> AsyncGenerator[bytes, None]:
        begin = start
        ahead = asyncio.ensure_future(self._origin.fetch(start, min(start + FIRST_BLOCK, end)))
        try:
            while True:
                block = await ahead
                start += len(block)
                size = min(max((start - begin) // _SHARE, FIRST_BLOCK), LARGEST_BLOCK)
                if start >= end:
                    yield block
                    return
                ahead = asyncio.ensure_future(self._origin.fetch(start, min(start + size, end)))
                yield block
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
