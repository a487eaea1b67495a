"""Refuses a request whose body is too large, as a problem.

FastAPI's own `max_body_size` answers in plain text, past the handlers of errors.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import HTTPException
from starlette.status import HTTP_413_CONTENT_TOO_LARGE
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class BodyLimit:
    """ASGI middleware: 413 once more than `max_bytes` of a body have arrived, said or unsaid.

    `exceptions` are the limits of paths that have one of their own, by how those end. Of paths that
    have `unlimited` in them any size is taken: their routes limit it.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int,
        exceptions: Mapping[str, int] | None = None,
        unlimited: str | None = None,
    ) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._exceptions = dict(exceptions or {})
        self._unlimited = unlimited

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived = 0
        limit = self._limit(scope.get("path", ""))

        async def limited() -> Message:
            nonlocal arrived
            message = await receive()
            arrived += len(message.get("body", b""))
            if arrived > limit:
                raise HTTPException(HTTP_413_CONTENT_TOO_LARGE)
            return message

        await self._app(scope, limited, send)

    def _limit(self, path: str) -> float:
        if self._unlimited is not None and self._unlimited in path:
            return float("inf")
        own = (limit for end, limit in self._exceptions.items() if path.endswith(end))
        return next(own, self._max_bytes)
