"""Finds and ends the processes of one Ray head, and of no other on the machine.

Each carries a mark in its environment, which it got from `ray start` and hands to what it starts.
So they are known wherever they hang in the tree: those of a head that was killed, too.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable

import psutil

from ffrtmp_ray.cluster.ray_environment import MARK

SETTLE_SECONDS = 5.0
"""For killed processes to be gone; a process in a system call of a dead disk may take longer."""
SAME_SECONDS = 2.0
"""A process of the same id that was created within this of the recorded time is the same one: the
system's idea of when it was started moves when the clock is set."""


def marked(mark: str) -> list[psutil.Process]:
    """All living processes that bear that mark."""
    return [
        process
        for process in psutil.process_iter()
        if _mark_of(process) == mark and _alive(process)
    ]


def of_head(mark: str, pid: int, created: float) -> list[psutil.Process]:
    """The marked ones, the head itself (if that id is still its own), and the whole tree below
    them: a child may have been started with an environment of its own."""
    below: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter(["ppid"]):
        below.setdefault(process.info["ppid"], []).append(process)
    found: set[psutil.Process] = set()
    ahead = [*marked(mark), *_head(pid, created)]
    while ahead:
        process = ahead.pop()
        if process not in found:
            found.add(process)
            ahead += below.get(process.pid, [])
    return [process for process in found if process.pid != os.getpid() and _alive(process)]


def is_head(pid: int, created: float) -> bool:
    """Whether the head lives: a process of that id, and not a later one."""
    return any(_alive(process) for process in _head(pid, created))


def end(
    members: Callable[[], list[psutil.Process]], root: int, grace_seconds: float
) -> list[psutil.Process]:
    """End all `members`; give those that could not be.

    The root is asked first (SIGTERM): it ends the others in their order. What is still there after
    `grace_seconds` is killed, until nothing is left that could start another one.
    """
    found = members()
    for process in found:
        if process.pid == root:
            _signal(process.terminate)
            _, found = psutil.wait_procs(found, timeout=grace_seconds)
            break
    until = time.monotonic() + SETTLE_SECONDS
    while (found := _union(found, members())) and time.monotonic() < until:
        for process in found:
            _signal(process.kill)
        _, found = psutil.wait_procs(found, timeout=0.5)
    return found


def _head(pid: int, created: float) -> list[psutil.Process]:
    try:
        process = psutil.Process(pid)
        return [process] if abs(process.create_time() - created) < SAME_SECONDS else []
    except psutil.NoSuchProcess:
        return []


def _union(first: list[psutil.Process], second: list[psutil.Process]) -> list[psutil.Process]:
    return [process for process in {*first, *second} if _alive(process)]


def _alive(process: psutil.Process) -> bool:
    """A zombie is dead, whoever has still to collect it. False when the id has a new owner."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _signal(send: Callable[[], None]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):  # it went by itself
        send()


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except (psutil.Error, OSError):
        return None  # another user's, or gone
