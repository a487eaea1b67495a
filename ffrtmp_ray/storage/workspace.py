"""The workspace: `<root>/<job>/<attempt>/`, a folder that every node sees.

An attempt writes in its own folder only, so that two tries never meet in one file. Nothing here
touches outputs.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from pathlib import Path

from ffrtmp_ray.core.model import AttemptId, JobId

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


class Workspace:
    """`root` may be missing; it is made with the first attempt."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def attempt(self, job_id: JobId, attempt_id: AttemptId) -> Path:
        """Where an attempt's files are; makes nothing."""
        return self._job(job_id) / _checked(attempt_id)

    def make(self, job_id: JobId, attempt_id: AttemptId) -> Path:
        """An empty folder for an attempt; what an earlier start of it left is removed."""
        folder = self.attempt(job_id, attempt_id)
        _remove(folder)
        folder.mkdir(parents=True)
        return folder

    def relative(self, path: Path) -> str:
        """`path` as results carry it: the same on nodes that mount the workspace elsewhere."""
        return str(path.relative_to(self.root))

    def absolute(self, relative: str) -> Path:
        """The file that a result names. Raises ValueError when it lies outside."""
        path = self.root / relative
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise ValueError(f"{relative} lies outside the workspace")
        return path

    def remove(self, job_id: JobId, attempt_id: AttemptId) -> None:
        """Remove what an attempt wrote, if anything; and its job's folder when that is empty."""
        _remove(self.attempt(job_id, attempt_id))
        self._remove_if_empty(job_id)

    def attempts(self, job_id: JobId) -> frozenset[AttemptId]:
        """Those of a job that have a folder."""
        folder = self._job(job_id)
        if not folder.is_dir():
            return frozenset()
        return frozenset(attempt.name for attempt in folder.iterdir())

    def remove_job(self, job_id: JobId) -> None:
        """Remove all that a job left. No error when there is nothing."""
        _remove(self._job(job_id))

    def _job(self, job_id: JobId) -> Path:
        return self.root / _checked(job_id)

    def _remove_if_empty(self, job_id: JobId) -> None:
        with contextlib.suppress(OSError):  # it is gone, or another attempt is still in it
            self._job(job_id).rmdir()


def _checked(name: str) -> str:
    if not _SAFE.fullmatch(name):
        raise ValueError(f"{name!r} is no id: it would not be safe as a folder's name")
    return name


def _remove(folder: Path) -> None:
    """Remove a folder that another node may be removing, too."""
    while folder.exists():
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            continue  # somebody else removed a part of it
