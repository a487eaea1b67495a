"""Which of a machine's schedulers leads: the one that holds the lock of a file.

The kernel frees it in the moment in which its holder's process ends, however that ends. One that
does not end and does nothing any more is killed by the one that waits. The lock only keeps one from
standing in another's way: who may write, the store's epoch decides.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import structlog

LOCK_FILE = "scheduler.lock"
"""In the state folder. Who leads writes its process id into it, anew with each beat."""
BEAT_SECONDS = 1.0
"""Between two beats of who leads, and between two looks of who waits."""

log = structlog.get_logger(__name__)


class Watch:
    """Judges by its beats who leads. Pure.

    Looks are counted, not seconds: who judges others by their silence must have been awake.
    `looks`: so many in a row without a beat, and it stands still.
    """

    def __init__(self, looks: int) -> None:
        self._looks = looks
        self._process = 0
        self._beat = 0
        self._silent = 0

    def stands_still(self, process: int, beat: int) -> bool:
        """Whether the process that leads is to be killed, whose last beat a look has found."""
        if (process, beat) != (self._process, self._beat):
            self._process, self._beat, self._silent = process, beat, 0
            return False
        self._silent += 1
        return self._silent >= self._looks


class Lead:
    """Held by this process until it ends; `lock` is None where no file can be locked."""

    def __init__(self, lock: int | None) -> None:
        self._lock = lock

    async def beat(self) -> NoReturn:
        """Show from now on that this process's loop runs; until then it may take its time."""
        while True:
            if self._lock is not None:
                with suppress(OSError):  # a full disk: nobody can tell how this one is
                    os.pwrite(self._lock, str(os.getpid()).encode(), 0)
            await asyncio.sleep(BEAT_SECONDS)


async def lead(state_dir: Path, *, hang_seconds: float) -> Lead:
    """Return when this process leads the schedulers of `state_dir`; it does so until it ends.

    Where no file can be locked, as on a full disk, it leads at once. Whoever leads, has begun
    to beat, and has not for `hang_seconds`, is killed.
    """
    try:
        lock = _file(state_dir)
    except OSError as error:
        log.warning("the scheduler leads without a lock", error=str(error))
        return Lead(None)
    loop, held = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        fcntl.flock(lock, fcntl.LOCK_EX)
        loop.call_soon_threadsafe(held.set)

    # No thread of a pool, whose end would be waited for: this may wait for days.
    threading.Thread(target=wait, name="lead", daemon=True).start()
    await _held(held, lock, Watch(max(round(hang_seconds / BEAT_SECONDS), 2)))
    os.ftruncate(lock, 0)
    return Lead(lock)


async def _held(held: asyncio.Event, lock: int, watch: Watch) -> None:
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(BEAT_SECONDS):
                await held.wait()
                return
        with suppress(OSError, ValueError):  # it has just ended, or not begun to beat
            process = int(os.pread(lock, 20, 0))
            if watch.stands_still(process, os.fstat(lock).st_mtime_ns):
                log.error("the scheduler that leads hangs, and is killed", process=process)
                os.kill(process, signal.SIGKILL)  # it holds the lock, so it is there


def _file(state_dir: Path) -> int:
    state_dir.mkdir(parents=True, exist_ok=True)
    return os.open(state_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
