"""Looks at the disks that an attempt writes to: is room left, and does it not take too much?

Looks and says; what is to be ended or removed is the caller's to know.
"""

from __future__ import annotations

import os
from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind


class Space:
    """The places where one attempt writes.

    `min_free_bytes`: to be left on each of their disks; 0 leaves it to the disks to be full.
    `max_bytes`: of all that the attempt has there, at most.
    """

    def __init__(self, *, min_free_bytes: int, max_bytes: int) -> None:
        self._min_free_bytes = min_free_bytes
        self._max_bytes = max_bytes
        self._places: dict[str, Path] = {}

    def watch(self, what: str, place: Path) -> None:
        """`place` is a folder, or a file that need not be there yet, in a folder that is; `what`
        it is called in reasons, as `the workspace`."""
        self._places[what] = place

    def shortage(self) -> Failure | None:
        """Why the attempt must not go on; None when it may. Reads the file systems: may block."""
        for what, place in self._places.items():
            free = free_bytes(place if place.exists() else place.parent)
            if free < self._min_free_bytes:
                return Failure(
                    FailureKind.OUT_OF_DISK,
                    f"the disk of {what} is full: {_mib(free)} are free, "
                    f"and {_mib(self._min_free_bytes)} are to be left (FFRTMP_MIN_FREE_BYTES)",
                )
        written = sum(_size(place) for place in self._places.values())
        if written > self._max_bytes:
            return Failure(
                FailureKind.OVER_LIMIT,
                f"it has written {_mib(written)}, and one attempt may write "
                f"{_mib(self._max_bytes)} (FFRTMP_ATTEMPT_BYTES)",
            )
        return None


def free_bytes(place: Path) -> int:
    """What is free for this user on the disk of a file or folder that is there."""
    disk = os.statvfs(place)
    return disk.f_bavail * disk.f_frsize


def _size(place: Path) -> int:
    """Bytes of a file, or of all files in a folder; what is gone meanwhile counts 0.

    By length: a chunk that has a second name where chunks are kept is counted too.
    """
    if not place.is_dir():
        return _length(place)
    return sum(_length(each) for each in place.rglob("*"))


def _length(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _mib(count: int) -> str:
    return f"{count / 1024**2:,.0f} MiB"
