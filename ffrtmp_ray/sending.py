"""Sends a file in one request or, over connections that break, in several. Knows no HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ffrtmp_ray.errors import Conflict, Unavailable
from ffrtmp_ray.views import UploadView

_PIECE = 1024 * 1024
_AGAIN_SECONDS = 0.5


def send(
    put: Callable[[int], UploadView],
    look: Callable[[], UploadView],
    *,
    start: int,
    size: int,
    patience: float,
) -> UploadView:
    """What `put`, which sends all from a byte on, answers at last.

    When the connection breaks it is called again from where the other side has come to by `look`:
    over and over while that gets further, and for `patience` seconds when it does not. Until the
    other side has noticed the break it refuses that with a Conflict, which is none of ours then.
    """
    since, broken = time.monotonic(), False
    while True:
        try:
            return put(start)
        except (Unavailable, Conflict) as trouble:
            if isinstance(trouble, Conflict) and not broken:
                raise
            broken = True
            seen = _wait(look, since + patience)
            if seen.complete and seen.received == size:
                return seen  # it was the answer that did not get through
            if seen.received > start:
                since = time.monotonic()
            elif time.monotonic() - since >= patience:
                raise
            start = seen.received
        time.sleep(_AGAIN_SECONDS)


def pieces(file: Path, start: int, progress: Callable[[int], None]) -> Iterator[bytes]:
    """The file's bytes from `start` on; `progress` is told how far they have been taken."""
    with file.open("rb") as source:
        source.seek(start)
        while piece := source.read(_PIECE):
            yield piece
            progress(source.tell())


def _wait(look: Callable[[], UploadView], until: float) -> UploadView:
    """How far it has come, as soon as the other side says it."""
    while True:
        try:
            return look()
        except Unavailable:
            if time.monotonic() >= until:
                raise
        time.sleep(_AGAIN_SECONDS)
