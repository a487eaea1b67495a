"""The engine's time, and a watch on the loop that everything here runs in."""

from __future__ import annotations

import asyncio
import time


class Clock:
    """UTC at start, never below the last committed time, and monotonic time from there on.

    A step of the machine's clock therefore never shows in the engine.
    """

    def __init__(self, not_before: float = 0.0) -> None:
        self._start = max(time.time(), not_before)
        self._monotonic = time.monotonic()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._start + time.monotonic() - self._monotonic


class Pulse:
    """Notices when this process itself stood still.

    Who judges others by their silence must have been awake: after a gap of more than `GAP`
    seconds in our own loop, everybody's silence counts anew from the gap's end.
    """

    BEAT = 0.25
    GAP = 1.0

    def __init__(self) -> None:
        self._awake_since = self._last = time.monotonic()

    def silence(self, heard_at: float) -> float:
        """Seconds of somebody's silence since `heard_at` (monotonic) that we were awake for."""
        now = time.monotonic()
        if now - self._last > self.GAP:
            return 0.0  # we have only just woken up
        return now - max(heard_at, self._awake_since)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self.BEAT)
            now = time.monotonic()
            if now - self._last > self.GAP:
                self._awake_since = now
            self._last = now
