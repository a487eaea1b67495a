"""Waiting until something is so."""

from __future__ import annotations

import time
from collections.abc import Callable


def wait_until(
    condition: Callable[[], bool], what: str, *, seconds: float, pause: float = 0.2
) -> None:
    """Ask every `pause` seconds. Raises TimeoutError, which says `what` is not so, after `seconds`:
    nothing can be measured then."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(pause)
