"""How busy this machine is, and how much memory a worker takes. Never blocks, never sleeps."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil

from ffrtmp_ray.core.model import Usage
from ffrtmp_ray.hardware.gpus import GpuReader


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """Seconds that all CPUs together have spent since the machine started."""

    busy: float
    total: float


class UsageReader:
    """Reads the usage of this machine and of this process with its children.

    CPU use is that since the reading before, so each reader is read at its own pace; psutil's own
    `cpu_percent` shares one memory among all callers of a thread.
    """

    def __init__(self, gpus: GpuReader | None = None) -> None:
        self._gpus = gpus or GpuReader()
        self._process = psutil.Process()
        self._before = read_cpu_times()

    def read(self) -> Usage:
        now = read_cpu_times()
        percent, self._before = cpu_percent(self._before, now), now
        memory = psutil.virtual_memory()
        return Usage(
            cpu_percent=percent,
            memory_used_bytes=memory.total - memory.available,
            memory_total_bytes=memory.total,
            worker_memory_bytes=_memory_of(self._process),
            load_1m=os.getloadavg()[0],
            gpus=self._gpus.read(),
        )


def cpu_percent(before: CpuTimes, now: CpuTimes) -> float:
    """CPU use between two readings, 0 to 100 of all CPUs together; 0 where no time has passed."""
    total = now.total - before.total
    if total <= 0:
        return 0.0
    return min(100.0, max(0.0, 100 * (now.busy - before.busy) / total))


def read_cpu_times() -> CpuTimes:
    """Waiting for a disk counts as idle. Guests' time is in `user` already (proc(5))."""
    times = psutil.cpu_times()
    idle = times.idle + times.iowait
    busy = times.user + times.nice + times.system + times.irq + times.softirq + times.steal
    return CpuTimes(busy=busy, total=busy + idle)


def _memory_of(process: psutil.Process) -> int:
    """Resident bytes of a process and of all that it started; what has just ended counts 0."""
    total = 0
    for each in (process, *process.children(recursive=True)):
        try:
            total += each.memory_info().rss
        except psutil.Error:
            continue
    return total
