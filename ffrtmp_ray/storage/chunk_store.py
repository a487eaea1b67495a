"""Finished chunks, by what is in them: `<workspace>/.chunks/<ab>/<address>`.

A chunk here and in an attempt's folder is one file with two names (a hard link; a copy where the
file system has none), so that either may go without the other. Nothing here knows what a chunk is
of: whoever takes one must look whether it is whole.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = ".chunks"
"""In the workspace, so on the file system that every node sees. No job's id begins so."""
SWEEP_SECONDS = 600.0
"""Between two looks for what is to go, of one worker."""
_ADDRESS = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    bytes: int
    used_at: float


class ChunkStore:
    """`max_bytes` and `max_age_seconds` (since the last use) hold after a sweep; 0 keeps nothing.

    Its methods touch files and may block; they may be called in any thread, on many nodes at once.
    Times are seconds since 1970.
    """

    def __init__(self, root: Path, *, max_bytes: int, max_age_seconds: float) -> None:
        self.root = root
        self._max_bytes = max_bytes
        self._max_age_seconds = max_age_seconds
        self._swept_at = float("-inf")

    def take(self, address: str, path: Path, now: float) -> bool:
        """Put the chunk of that address at `path`, where nothing is; False when there is none."""
        kept = self._path(address)
        try:
            os.utime(kept, (now, now))
            _link(kept, path)
        except FileNotFoundError:
            return False
        return True

    def add(self, address: str, path: Path, now: float) -> None:
        """Keep the finished chunk at `path`, which nobody changes from now on. One that is kept
        already stays. What is old or too much goes, every now and then.

        Raises OSError when the disk is full.
        """
        if not self._max_bytes:
            return
        kept = self._path(address)
        kept.parent.mkdir(parents=True, exist_ok=True)
        _sync(path)
        os.utime(path, (now, now))
        with contextlib.suppress(FileExistsError):
            _link(path, kept)
        if now - self._swept_at >= SWEEP_SECONDS:
            self._swept_at = now
            self.sweep(now)

    def drop(self, address: str) -> None:
        """Forget the chunk of that address; no error when there is none."""
        self._path(address).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all: others need the room."""
        for entry in self._entries():
            entry.path.unlink(missing_ok=True)

    def sweep(self, now: float) -> None:
        """Forget what has not been used for long, and of the rest the oldest that are too much."""
        room = self._max_bytes
        for entry in sorted(self._entries(), key=lambda each: each.used_at, reverse=True):
            room -= entry.bytes
            if room < 0 or now - entry.used_at > self._max_age_seconds:
                entry.path.unlink(missing_ok=True)

    def _path(self, address: str) -> Path:
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"{address!r} is no SHA-256")
        return self.root / address[:2] / address

    def _entries(self) -> Iterator[_Entry]:
        for path in self.root.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):  # another node was faster
                found = path.stat()
                yield _Entry(path, found.st_size, found.st_mtime)


def _link(source: Path, target: Path) -> None:
    """Raises FileNotFoundError, and FileExistsError where there is something at `target`."""
    try:
        os.link(source, target)
    except (FileNotFoundError, FileExistsError):
        raise
    except OSError:  # a file system without links, or with one link too many
        # by a name of this call's own: other threads and nodes may copy the same at this time
        part = target.with_name(f"{target.name}.{uuid.uuid4().hex}.part")
        try:
            shutil.copy2(source, part)
            _sync(part)
            part.rename(target)
        finally:
            part.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """What is kept must be whole after a crash of the machine."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
