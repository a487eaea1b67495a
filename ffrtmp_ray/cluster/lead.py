"""Which of a machine's schedulers leads: the one that holds the lock of a file.

The kernel frees it in the moment in which its holder's process ends, however that ends. It only
keeps one from standing in another's way: who may write, the store's epoch decides.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from pathlib import Path

import structlog

LOCK_FILE = "scheduler.lock"
"""In the state folder."""

log = structlog.get_logger(__name__)


async def lead(state_dir: Path) -> None:
    """Return when this process leads the schedulers of `state_dir`; it does so until it ends.

    Where no file can be locked, as on a full disk, it leads at once.
    """
    try:
        lock = _file(state_dir)
    except OSError as error:
        log.warning("the scheduler leads without a lock", error=str(error))
        return
    loop, held = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        fcntl.flock(lock, fcntl.LOCK_EX)
        loop.call_soon_threadsafe(held.set)

    # No thread of a pool, whose end would be waited for: this may wait for days.
    threading.Thread(target=wait, name="lead", daemon=True).start()
    await held.wait()


def _file(state_dir: Path) -> int:
    state_dir.mkdir(parents=True, exist_ok=True)
    return os.open(state_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
