"""Files that callers have sent: `<workspace>/.uploads/<name>`, and unfinished ones beside them.

A name is given once: what is complete is never written to again. Decides nothing about requests.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ffrtmp_ray.errors import Conflict, InvalidRequest, UploadNotFound
from ffrtmp_ray.storage.publish import Publication, publish

FOLDER = ".uploads"
"""In the workspace, so on the file system that every node sees. No job's id begins so."""
SCHEME = "upload"
_UNFINISHED = ".unfinished"
_ANNOUNCED = ".announced"
"""Holds how many bytes there will be of each upload that is being received."""
_ROOM = ".room"
"""Is locked by whoever counts those."""
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

    def __init__(self, workspace: Path, *, max_age_seconds: float, min_free_bytes: int = 0) -> None:
        """`max_age_seconds`: how long an upload that nobody goes on with is kept;
        `min_free_bytes`: what all that are received at one time leave on the disk."""
        self._root = workspace / FOLDER
        self._max_age_seconds = max_age_seconds
        self._min_free_bytes = min_free_bytes

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

    @contextmanager
    def receive(self, name: str, start: int, total: int) -> Iterator[Arriving]:
        """Take bytes of an upload of `total`, from where it has come to, or from 0: it begins anew.

        Raises Conflict when it is complete, has come to another place, or is being received, and
        OSError (ENOSPC) when there is no room for it beside those that are being received.
        """
        target, part = self.path(name), self._unfinished(name)
        part.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            with self._counting():
                file = held.enter_context(part.open("ab"))
                _lock(file, name)
                held.callback(_remove_empty, part)
                _check(file, part, target, start)
                self._announce(name, total, total - file.tell())
                held.callback(self._announced(name).unlink, missing_ok=True)
            file.truncate(start)
            yield Arriving(file, part, target)

    def sweep(self, now: float) -> None:
        """Remove what nobody has gone on with for long; `now` is seconds since 1970."""
        for part in (self._root / _UNFINISHED).glob("*"):
            with suppress(FileNotFoundError):  # it was completed, or another swept it
                if now - part.stat().st_mtime > self._max_age_seconds:
                    part.unlink()

    @contextmanager
    def _counting(self) -> Iterator[None]:
        """Whoever is about to receive is alone: else two would find the same room."""
        with (self._root / _ROOM).open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _announce(self, name: str, total: int, missing: int) -> None:
        """Raises OSError when there is no room for `missing` bytes more."""
        free = shutil.disk_usage(self._root).free
        if free - self._expected(name) - missing < self._min_free_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._root))
        announced = self._announced(name)
        announced.parent.mkdir(exist_ok=True)
        announced.write_text(str(total), encoding="ascii")

    def _expected(self, name: str) -> int:
        """Bytes that are still to come of all uploads that are being received, but for `name`."""
        expected = 0
        for other in (self._root / _ANNOUNCED).glob("*"):
            if other.name != name:
                with suppress(FileNotFoundError):  # it has just come to its end
                    expected += self._missing(other)
        return expected

    def _missing(self, announced: Path) -> int:
        """Bytes to come of an upload; none where its request has ended."""
        with self._unfinished(announced.name).open("rb") as file:
            if not _is_locked(file):
                return 0
            total = int(announced.read_text(encoding="ascii"))
            return max(0, total - os.fstat(file.fileno()).st_size)

    def _announced(self, name: str) -> Path:
        return self._root / _ANNOUNCED / name

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


def _check(file: BinaryIO, part: Path, target: Path, start: int) -> None:
    """Whether an upload may go on at `start`; `file` is its locked part. Raises Conflict."""
    name = target.name
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


def _remove_empty(part: Path) -> None:
    with suppress(FileNotFoundError):
        if not part.stat().st_size:
            part.unlink()


def _is_locked(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


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
