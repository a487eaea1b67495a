"""What has become of a process."""

from __future__ import annotations

import psutil


def is_gone(pid: int) -> bool:
    """Dead, reaped or not: an orphan's reaping is the machine's business."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
