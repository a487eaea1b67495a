"""How long a web server in trouble is left alone: as long as it says, within bounds. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_SECONDS = 40.0
"""That a server may have us wait, all in all, for one part of a file: an ffmpeg that gets nothing
for a minute is taken for stalled."""


class Patience:
    """With one part of a file: `pauses` are the seconds before each further try at it."""

    def __init__(self, pauses: Sequence[float]) -> None:
        self._pauses = pauses
        self._failures = 0
        self._left = LONGEST_SECONDS

    def renew(self) -> None:
        """Something came: what follows is another trouble."""
        self._failures, self._left = 0, LONGEST_SECONDS

    def pause(self, asked: float = 0.0) -> float | None:
        """Seconds to wait after one more failure, in which the server asked for so many; None when
        it has failed often enough."""
        self._failures += 1
        if self._failures > len(self._pauses):
            return None
        granted = min(asked, self._left)
        self._left -= granted
        return max(self._pauses[self._failures - 1], granted)


def asked_seconds(headers: Mapping[str, str], now: float) -> float:
    """For how long a server does not want to be asked, by the `Retry-After` of its answer (RFC
    9110, 10.2.3): seconds, or a date, which counts from the server's own where it says that, else
    from `now` (seconds since 1970). 0 where it says nothing that can be read."""
    said = headers.get("Retry-After", "").strip()
    if said.isascii() and said.isdigit():
        return float(said)
    until = _date(said)
    if until is None:
        return 0.0
    since = _date(headers.get("Date", ""))
    return max(until - (now if since is None else since), 0.0)


def _date(text: str) -> float | None:
    """Seconds since 1970."""
    try:
        date: datetime = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
