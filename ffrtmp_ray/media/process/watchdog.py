"""When a process counts as stalled. Pure: times come in, nothing is ended here.

What counts is progress, not output: an ffmpeg that prints its status for ever and gets nowhere
is stalled.
"""

from __future__ import annotations

from dataclasses import dataclass

from ffrtmp_ray.media.process.progress import ProcessProgress

BUSY_SHARE = 0.1
"""An encoder fills its look-ahead before its first packet comes out, which takes minutes for a
large picture on one CPU. Until that packet, a process that has used at least this share of one
CPU over the stall time is taken to be at work. Low, since it may share the CPU with many."""
BUSY_BYTES = 1024**2
"""ffmpeg says nothing while it finishes a file: `-movflags +faststart` moves all of it, for minutes
when it is large. A process that has written this much to files is at work, whatever it says."""


@dataclass(frozen=True, slots=True)
class Effort:
    """What a process has spent since its start."""

    cpu_seconds: float = 0.0
    written_bytes: int = 0
    """To files; what goes into pipes does not count."""


class Watchdog:
    """Watches one process. All times are seconds on one clock that stands still while the
    process is suspended."""

    def __init__(self, stall_seconds: float, now: float) -> None:
        self._stall_seconds = stall_seconds
        self._frame = 0
        self._out_time = float("-inf")
        self._alive_at = now
        self._effort = Effort()
        """Spent until then."""

    @property
    def deadline(self) -> float:
        """When the process is stalled, unless it makes progress before."""
        return self._alive_at + self._stall_seconds

    def observe(self, progress: ProcessProgress, effort: Effort, now: float) -> None:
        out_time = progress.out_time_seconds
        if out_time is None:
            out_time = self._out_time
        if progress.frame > self._frame or out_time > self._out_time:
            self._alive_at, self._effort = now, effort
        self._frame = max(self._frame, progress.frame)
        self._out_time = max(self._out_time, out_time)

    def stalled(self, effort: Effort, now: float) -> bool:
        """Whether the process is stalled at `now`, having spent `effort`."""
        if now < self.deadline:
            return False
        if not self._at_work(effort):
            return True
        self._alive_at, self._effort = now, effort
        return False

    def _at_work(self, effort: Effort) -> bool:
        if effort.written_bytes - self._effort.written_bytes >= BUSY_BYTES:
            return True
        has_output = self._frame > 0 or self._out_time > float("-inf")
        used = effort.cpu_seconds - self._effort.cpu_seconds
        return not has_output and used >= BUSY_SHARE * self._stall_seconds
