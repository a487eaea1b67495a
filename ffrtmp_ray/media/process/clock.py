"""A clock that stands still while what it times is suspended."""

from __future__ import annotations

import time


class ActiveClock:
    """Seconds since it was made, those between `pause` and `resume` left out."""

    def __init__(self) -> None:
        self._zero = time.monotonic()
        self._paused_at: float | None = None

    def now(self) -> float:
        present = time.monotonic() if self._paused_at is None else self._paused_at
        return present - self._zero

    def pause(self) -> None:
        if self._paused_at is None:
            self._paused_at = time.monotonic()

    def resume(self) -> None:
        if self._paused_at is not None:
            self._zero += time.monotonic() - self._paused_at
            self._paused_at = None
