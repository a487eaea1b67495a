"""The end of what a process has printed, in bounded memory."""

from __future__ import annotations

LOG_BYTES = 16 * 1024
"""How much of the end of a process's stderr is kept."""


class Tail:
    """The last `limit` bytes of a stream."""

    def __init__(self, limit: int = LOG_BYTES) -> None:
        self._limit = limit
        self._bytes = bytearray()

    def add(self, data: bytes) -> None:
        self._bytes += data
        del self._bytes[: -self._limit]

    @property
    def text(self) -> str:
        """What no text can be made of is shown as U+FFFD."""
        return self._bytes.decode(errors="replace")
