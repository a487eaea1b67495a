"""Starts ffmpeg and ends it: a process dies with its worker, stalls, is suspended or stopped.

Every ffmpeg that a farm runs is started here. It decides nothing about media: how an end is to
be understood is said in `failures`.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from ffrtmp_ray.media.process.child import Child
from ffrtmp_ray.media.process.clock import ActiveClock
from ffrtmp_ray.media.process.guard import guard
from ffrtmp_ray.media.process.limits import NO_LIMITS, Limits
from ffrtmp_ray.media.process.progress import ProcessProgress, ProgressParser
from ffrtmp_ray.media.process.tail import Tail
from ffrtmp_ray.media.process.watchdog import Watchdog

LONGEST_LINE = 4096
"""Bytes of an unfinished line that are kept: a process that writes no lines must not fill the
memory."""

_CPUS = os.cpu_count() or 1
"""No process spends CPU time faster than this."""


class Ending(StrEnum):
    EXITED = "exited"
    """By itself, or by a signal that was not ours."""
    STOPPED = "stopped"
    """`ProcessGroup.stop` was called."""
    STALLED = "stalled"
    TIMED_OUT = "timed_out"
    OVERSPENT = "overspent"
    """It used more CPU time than its limits allow."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended."""

    code: int
    """Its exit status; the negative number of the signal that killed it."""
    ending: Ending
    log: str
    """The end of what it wrote to stderr, at most `tail.LOG_BYTES`."""


class _Running:
    """One process of a group, with what is known of how it goes."""

    def __init__(
        self,
        stall_seconds: float,
        clock: ActiveClock,
        on_progress: Callable[[ProcessProgress], None] | None,
        group_log: Tail,
    ) -> None:
        self.child = Child(self._take_output, self._take_log)
        self.watchdog = Watchdog(stall_seconds, clock.now())
        self.log = Tail()
        self.ending = Ending.EXITED
        self.kill_timer: asyncio.TimerHandle | None = None
        self._clock = clock
        self._on_progress = on_progress
        self._group_log = group_log
        self._parser = ProgressParser()
        self._line = b""

    @property
    def is_ending(self) -> bool:
        return self.kill_timer is not None

    def _take_output(self, data: bytes) -> None:
        *lines, rest = (self._line + data).split(b"\n")
        self._line = rest[-LONGEST_LINE:]
        for line in lines:
            progress = self._parser.feed(line.decode(errors="replace"))
            if progress is None:
                continue
            self.watchdog.observe(progress, self.child.effort(), self._clock.now())
            if self._on_progress is not None:
                self._on_progress(progress)

    def _take_log(self, data: bytes) -> None:
        self.log.add(data)
        self._group_log.add(data)


class ProcessGroup:
    """The processes of one attempt. For use in one event loop.

    `stall_seconds`: a process that makes no progress for so long is ended.
    `grace_seconds`: from SIGTERM to SIGKILL, whenever one is ended.
    `timeout_seconds`: for the whole attempt, counted from now; None sets no limit.
    `limits`: of each process.
    Suspended time counts for neither stall nor timeout.
    """

    def __init__(
        self,
        *,
        stall_seconds: float,
        grace_seconds: float,
        timeout_seconds: float | None,
        limits: Limits = NO_LIMITS,
    ) -> None:
        self._limits = limits
        self._stall_seconds = stall_seconds
        self._grace_seconds = grace_seconds
        self._timeout_seconds = float("inf") if timeout_seconds is None else timeout_seconds
        self._clock = ActiveClock()
        self._running: list[_Running] = []
        self._log = Tail()
        self._stopped = False
        self._active = asyncio.Event()
        """Set while the group is not suspended."""
        self._active.set()

    @property
    def log(self) -> str:
        """The end of what all its processes have written to stderr so far."""
        return self._log.text

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the processes that run now."""
        return tuple(running.child.pid for running in self._running)

    @property
    def suspended(self) -> bool:
        return not self._active.is_set()

    def suspend(self) -> None:
        """Stop all processes with SIGSTOP, at once; one that is run later waits for `resume`."""
        if self._stopped or self.suspended:
            return
        self._active.clear()
        self._clock.pause()
        for running in self._running:
            if not running.is_ending:
                running.child.send(signal.SIGSTOP)

    def resume(self) -> None:
        if self._stopped or not self.suspended:
            return
        self._clock.resume()
        self._active.set()
        for running in self._running:
            running.child.send(signal.SIGCONT)

    def stop(self) -> None:
        """End all processes, and start no more: SIGTERM, and SIGKILL after `grace_seconds`.

        A suspended process cannot act on SIGTERM and is killed at once.
        """
        self._stopped = True
        for running in self._running:
            self._end(running, Ending.STOPPED)
        self._clock.resume()
        self._active.set()

    async def run(
        self,
        argv: Sequence[str],
        on_progress: Callable[[ProcessProgress], None] | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Exit:
        """Run `argv` to its end, and say how it ended; `environment` is added to this process's.

        `on_progress` is called in the event loop for each block that the process writes to
        stdout with `-progress pipe:1`. Canceling this kills the process. Raises MachineError
        when no process can be started here.
        """
        prefix = guard(self._limits)
        await self._active.wait()
        if self._stopped:
            return Exit(-signal.SIGTERM, Ending.STOPPED, "")
        running = _Running(self._stall_seconds, self._clock, on_progress, self._log)
        running.child.start((*prefix, *argv), environment)
        self._running.append(running)
        watch = asyncio.create_task(self._watch(running))
        try:
            code = await running.child.wait()
            return Exit(code, running.ending, running.log.text)
        finally:
            watch.cancel()
            await running.child.end()
            if running.kill_timer is not None:
                running.kill_timer.cancel()
            self._running.remove(running)

    async def _watch(self, running: _Running) -> None:
        """End the process when it stalls, or its CPU time or the attempt's time is up."""
        while True:
            await self._active.wait()
            now, effort = self._clock.now(), running.child.effort()
            if now >= self._timeout_seconds:
                return self._end(running, Ending.TIMED_OUT)
            if running.watchdog.stalled(effort, now):
                return self._end(running, Ending.STALLED)
            if effort.cpu_seconds >= self._limits.cpu_seconds:
                return self._end(running, Ending.OVERSPENT)
            soonest = (self._limits.cpu_seconds - effort.cpu_seconds) / _CPUS
            next_look = min(running.watchdog.deadline, self._timeout_seconds, now + soonest)
            await asyncio.sleep(next_look - now)

    def _end(self, running: _Running, ending: Ending) -> None:
        if running.child.has_ended:
            return
        if running.ending is not Ending.STOPPED:
            running.ending = ending
        if self.suspended:
            running.child.send(signal.SIGKILL)
        elif not running.is_ending:
            running.child.send(signal.SIGTERM)
            running.kill_timer = asyncio.get_running_loop().call_later(
                self._grace_seconds, running.child.send, signal.SIGKILL
            )
