"""Holds processes, with all that they start, to a part of a CPU each: control groups of Linux.

Needs the right to make groups, which root has outside most containers.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from benchmarks.waiting import wait_until

PERIOD_MICROSECONDS = 100_000
"""The kernel's default: a share of 0.2 is 20 ms of CPU in each 100 ms."""
EMPTY_SECONDS = 10.0
"""For the processes of a group to have ended: only then can it be removed."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Where this kernel has the groups that count CPU time."""

    mount: Path
    version: int
    """1: a hierarchy for CPU alone; 2: one for all that is counted."""

    def beside(self, own: str) -> Path:
        """Where groups are to be made by a process of which `/proc/self/cgroup` is `own`: below its
        own group, or, as version 2 allows none below one that has processes, beside it."""
        for line in own.splitlines():
            _, controllers, place = line.split(":", 2)
            if self.version == 1 and "cpu" in controllers.split(","):
                return self.mount / place.lstrip("/")
            if self.version == 2 and not controllers:
                return (self.mount / place.lstrip("/")).parent if place != "/" else self.mount
        raise LookupError("this process is in no group that counts CPU time")

    def limits(self, share: float) -> dict[str, str]:
        """What to write into which files of a group that is to have `share` CPUs
        (https://docs.kernel.org/scheduler/sched-bwc.html,
        https://docs.kernel.org/admin-guide/cgroup-v2.html)."""
        quota = round(share * PERIOD_MICROSECONDS)
        if self.version == 1:
            return {"cpu.cfs_period_us": str(PERIOD_MICROSECONDS), "cpu.cfs_quota_us": str(quota)}
        return {"cpu.max": f"{quota} {PERIOD_MICROSECONDS}"}


def hierarchy_of(mounts: str) -> Hierarchy:
    """The one named by `/proc/mounts`. Raises LookupError when no group can count CPU time."""
    second = None
    for line in mounts.splitlines():
        _, place, kind, options = line.split()[:4]
        if kind == "cgroup" and "cpu" in options.split(","):
            return Hierarchy(Path(place), 1)
        if kind == "cgroup2":
            second = Hierarchy(Path(place), 2)
    if second is None:
        raise LookupError("no control groups are mounted here that count CPU time")
    return second


class Quota:
    """Groups of `share` CPUs each, in one of the name `name`; removed at the end."""

    def __init__(self, name: str, share: float) -> None:
        self._hierarchy = hierarchy_of(Path("/proc/mounts").read_text("utf-8"))
        self._root = self._hierarchy.beside(Path("/proc/self/cgroup").read_text("utf-8")) / name
        self._share = share

    def hold(self, name: str, pid: int) -> None:
        """Put a process and all its children into a group of their own. What they start from now
        on is in it as well."""
        group = self._root / name
        group.mkdir()
        for file, text in self._hierarchy.limits(self._share).items():
            (group / file).write_text(text)
        process = psutil.Process(pid)
        (group / "cgroup.procs").write_text(str(pid))
        for child in process.children(recursive=True):
            with suppress(ProcessLookupError):  # it has ended meanwhile
                (group / "cgroup.procs").write_text(str(child.pid))

    def __enter__(self) -> Self:
        self._root.mkdir()
        if self._hierarchy.version > 1:
            for parent in (self._root.parent, self._root):
                (parent / "cgroup.subtree_control").write_text("+cpu")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for group in (*self._root.glob("*/"), self._root):
            with suppress(TimeoutError):  # removing it says what is wrong
                wait_until(partial(_is_empty, group), "it is empty", seconds=EMPTY_SECONDS)
            group.rmdir()


def _is_empty(group: Path) -> bool:
    return not (group / "cgroup.procs").read_text()
