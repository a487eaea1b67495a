"""How often something happens, from when it has happened lately. Reads no clock."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

MEMORY_SECONDS = 300.0
"""What happened this long ago counts as 1/e of what happens now."""


@dataclass(slots=True)
class Rate:
    """An exponentially weighted count of events."""

    _weight: float = 0.0
    _at: float | None = None
    _since: float = 0.0

    def mark(self, now: float) -> None:
        """It happens."""
        if self._at is None:
            self._since = now
        self._weight = self._decayed(now) + 1.0
        self._at = now

    def per_second(self, now: float) -> float | None:
        """None as long as it has not happened for at least a moment."""
        watched = now - self._since
        if self._at is None or watched <= 0:
            return None
        # Of a memory that is not full yet, only the part that is.
        return self._decayed(now) / (MEMORY_SECONDS * (1.0 - exp(-watched / MEMORY_SECONDS)))

    def _decayed(self, now: float) -> float:
        if self._at is None:
            return 0.0
        return self._weight * exp(-(now - self._at) / MEMORY_SECONDS)
