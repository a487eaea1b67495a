"""When a process counts as stalled. Pure: times come in, nothing is ended here.

What counts is progress, not output: an ffmpeg that prints its status for ever and gets nowhere
is stalled.
"""

from __future__ import annotations

from ffrtmp_ray.media.process.progress import ProcessProgress

BUSY_SHARE = 0.1
"""An encoder fills its look-ahead before its first packet comes out, which takes minutes for a
large picture on one CPU. Until that packet, a process that has used at least this share of one
CPU over the stall time is taken to be at work. Low, since it may share the CPU with many."""


class Watchdog:
    """Watches one process. All times are seconds on one clock that stands still while the
    process is suspended."""

    def __init__(self, stall_seconds: float, now: float) -> None:
        self._stall_seconds = stall_seconds
        self._advanced_at = now
        self._frame = 0
        self._out_time = float("-inf")
        self._cpu_seconds = 0.0

    @property
    def deadline(self) -> float:
        """When the process is stalled, unless it makes progress before."""
        return self._advanced_at + self._stall_seconds

    def observe(self, progress: ProcessProgress, now: float) -> None:
        out_time = progress.out_time_seconds
        if out_time is None:
            out_time = self._out_time
        if progress.frame > self._frame or out_time > self._out_time:
            self._advanced_at = now
        self._frame = max(self._frame, progress.frame)
        self._out_time = max(self._out_time, out_time)

    def stalled(self, cpu_seconds: float, now: float) -> bool:
        """Whether the process is stalled at `now`, having used `cpu_seconds` since its start."""
        if now < self.deadline:
            return False
        used = cpu_seconds - self._cpu_seconds
        if not self._has_output and used >= BUSY_SHARE * self._stall_seconds:
            self._advanced_at = now
            self._cpu_seconds = cpu_seconds
            return False
        return True

    @property
    def _has_output(self) -> bool:
        return self._frame > 0 or self._out_time > float("-inf")
