"""Files that callers have sent: `<workspace>/.uploads/<name>`, and unfinished ones beside them.

A name is given once: what is complete is never written to again. Decides nothing about requests.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ffrtmp_ray.errors import Conflict, InvalidRequest, UploadNotFound
from ffrtmp_ray.storage.publish import Publication, publish

FOLDER = ".uploads"
"""In the workspace, so on the file system that every node sees. No job's id begins so."""
SCHEME = "upload"
_UNFINISHED = ".unfinished"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


@dataclass(frozen=True, slots=True)
class Upload:
    name: str
    received: int
    """Bytes that are on the disk."""
    complete: bool

    @property
    def place(self) -> str:
        """What a job's `input` says to read it."""
        return f"{SCHEME}://{self.name}"


class Uploads:
    """Its methods touch files and may block; they may be called in several processes at once."""

    def __init__(self, workspace: Path, *, max_age_seconds: float) -> None:
        """`max_age_seconds`: how long an upload that nobody goes on with is kept."""
        self._root = workspace / FOLDER
        self._max_age_seconds = max_age_seconds

    def path(self, name: str) -> Path:
        """Of a complete upload, whether there is one or not. Raises InvalidRequest."""
        if not _NAME.fullmatch(name):
            raise InvalidRequest(
                f"{name!r} is no name for an upload",
                where="name",
                remedy="take letters, digits and ._- (200 at most), a letter or digit first",
            )
        return self._root / name

    def find(self, name: str) -> Upload:
        """Raises UploadNotFound, InvalidRequest."""
        path = self.path(name)
        for file, complete in ((path, True), (self._unfinished(name), False)):
            if file.is_file():
                return Upload(name, file.stat().st_size, complete)
        raise UploadNotFound(
            f"there is no upload {name}", where="name", remedy="send it: ffrtmp upload FILE"
        )

    def remove(self, name: str) -> None:
        """Raises UploadNotFound, InvalidRequest."""
        self.find(name)
        self.path(name).unlink(missing_ok=True)
        self._unfinished(name).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """On the disk where uploads go."""
        self._root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._root).free

    @contextmanager
    def receive(self, name: str, start: int) -> Iterator[Arriving]:
        """Take bytes of an upload from `start` on: 0 begins anew, or where it has come to.

        Raises Conflict when it is complete, has come to another place, or is being received.
        """
        target, part = self.path(name), self._unfinished(name)
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            _lock(file, name)
            try:
                if target.exists():
                    part.unlink(missing_ok=True)
                    raise Conflict(
                        f"there is an upload {name} already",
                        where="name",
                        remedy="choose another name, or DELETE it first",
                    )
                if not part.exists() or not os.path.samestat(part.stat(), os.fstat(file.fileno())):
                    raise _busy(name)  # it was removed or finished while this waited to open it
                if start not in (0, file.tell()):
                    raise Conflict(
                        f"{file.tell()} bytes of {name} are here, and this begins at {start}",
                        where="Content-Range",
                        remedy="ask HEAD how far it is, and go on from there",
                    )
                file.truncate(start)
                yield Arriving(file, part, target)
            finally:
                if part.exists() and not part.stat().st_size:
                    part.unlink()

    def sweep(self, now: float) -> None:
        """Remove what nobody has gone on with for long; `now` is seconds since 1970."""
        for part in (self._root / _UNFINISHED).glob("*"):
            with suppress(FileNotFoundError):  # it was completed, or another swept it
                if now - part.stat().st_mtime > self._max_age_seconds:
                    part.unlink()

    def _unfinished(self, name: str) -> Path:
        return self._root / _UNFINISHED / name


class Arriving:
    """An upload while one request brings some of it."""

    def __init__(self, file: BinaryIO, part: Path, target: Path) -> None:
        self._file = file
        self._part = part
        self._target = target

    def write(self, data: bytes) -> None:
        """Raises OSError when the disk is full."""
        self._file.write(data)
        self._file.flush()

    def complete(self) -> None:
        """All of it has come: from now on it is an input.

        Raises Conflict when another was first.
        """
        os.fsync(self._file.fileno())
        if publish(self._part, self._target) is not Publication.PUBLISHED:
            raise Conflict(
                f"there is an upload {self._target.name} already",
                where="name",
                remedy="choose another name",
            )


def _lock(file: BinaryIO, name: str) -> None:
    """Held until the file is closed, by whatever ends this process, too."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise _busy(name) from None


def _busy(name: str) -> Conflict:
    return Conflict(
        f"{name} is being received by another request",
        where="name",
        remedy="wait for its end, or choose another name",
    )
