"""Refuses a request whose body is too large, as a problem.

FastAPI's own `max_body_size` answers in plain text, past the handlers of errors.
"""

from __future__ import annotations

from fastapi import HTTPException
from starlette.status import HTTP_413_CONTENT_TOO_LARGE
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware: 413 once more than `max_bytes` of a body have arrived, said or unsaid."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived = 0

        async def limited() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > self._max_bytes:
                raise HTTPException(HTTP_413_CONTENT_TOO_LARGE)
            return message

        await self._app(scope, limited, send)
