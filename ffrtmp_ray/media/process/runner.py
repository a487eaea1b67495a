"""Starts ffmpeg and ends it: a process dies with its worker, stalls, is suspended or stopped.

Every process of the product is started here. It decides nothing about media: how an end is to
be understood is said in `failures`.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

import psutil

from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.media.process.clock import ActiveClock
from ffrtmp_ray.media.process.guard import guard
from ffrtmp_ray.media.process.progress import ProcessProgress, ProgressParser
from ffrtmp_ray.media.process.tail import Tail
from ffrtmp_ray.media.process.watchdog import Watchdog

_CHUNK = 64 * 1024
_DRAIN_SECONDS = 1.0
"""A pipe that is still open so long after its process ended is held by somebody else."""


class Ending(StrEnum):
    EXITED = "exited"
    """By itself, or by a signal that was not ours."""
    STOPPED = "stopped"
    """`ProcessGroup.stop` was called."""
    STALLED = "stalled"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended."""

    code: int
    """Its exit status; the negative number of the signal that killed it."""
    ending: Ending
    log: str
    """The end of what it wrote to stderr, at most `tail.LOG_BYTES`."""


@dataclass(slots=True)
class _Running:
    process: asyncio.subprocess.Process
    watchdog: Watchdog
    on_progress: Callable[[ProcessProgress], None] | None
    log: Tail = field(default_factory=Tail)
    ending: Ending = Ending.EXITED
    kill_timer: asyncio.TimerHandle | None = None

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it ended a moment ago
            self.process.send_signal(number)

    def tell(self, progress: ProcessProgress) -> None:
        """Hand on progress; a process whose listener is broken is killed, not left to run on."""
        if self.on_progress is None:
            return
        try:
            self.on_progress(progress)
        except Exception:
            self.send(signal.SIGKILL)
            raise

    @property
    def is_ending(self) -> bool:
        return self.kill_timer is not None


class ProcessGroup:
    """The processes of one attempt. For use in one event loop.

    `stall_seconds`: a process that makes no progress for so long is ended.
    `grace_seconds`: from SIGTERM to SIGKILL, whenever one is ended.
    `timeout_seconds`: for the whole attempt, counted from now; None sets no limit.
    Suspended time counts for neither stall nor timeout.
    """

    def __init__(
        self, *, stall_seconds: float, grace_seconds: float, timeout_seconds: float | None
    ) -> None:
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
        return tuple(running.process.pid for running in self._running)

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
                running.send(signal.SIGSTOP)

    def resume(self) -> None:
        if self._stopped or not self.suspended:
            return
        self._clock.resume()
        self._active.set()
        for running in self._running:
            running.send(signal.SIGCONT)

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
    ) -> Exit:
        """Run `argv` to its end, and say how it ended.

        `on_progress` is called in the event loop for each block that the process writes to
        stdout with `-progress pipe:1`. Canceling this kills the process. Raises MachineError
        when no process can be started here.
        """
        prefix = guard()
        await self._active.wait()
        if self._stopped:
            return Exit(-signal.SIGTERM, Ending.STOPPED, "")
        process = await _start((*prefix, *argv))
        watchdog = Watchdog(self._stall_seconds, self._clock.now())
        running = _Running(process, watchdog, on_progress)
        self._running.append(running)
        try:
            self._catch_up(running)
            return await self._attend(running)
        finally:
            if process.returncode is None:
                running.send(signal.SIGKILL)
                await process.wait()
            if running.kill_timer is not None:
                running.kill_timer.cancel()
            self._running.remove(running)

    def _catch_up(self, running: _Running) -> None:
        """Obey what was ordered while the process was being started."""
        if self._stopped:
            self._end(running, Ending.STOPPED)
        elif self.suspended:
            running.send(signal.SIGSTOP)

    async def _attend(self, running: _Running) -> Exit:
        """Keep the pipes empty, so that the process never blocks on them, and watch it."""
        drains = (
            asyncio.create_task(self._read_progress(running)),
            asyncio.create_task(self._read_log(running)),
        )
        watch = asyncio.create_task(self._watch(running))
        try:
            code = await running.process.wait()
            await asyncio.wait(drains, timeout=_DRAIN_SECONDS)
        finally:
            for task in (*drains, watch):
                task.cancel()
            await asyncio.gather(*drains, watch, return_exceptions=True)
        for task in (*drains, watch):
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error
        return Exit(code, running.ending, running.log.text)

    async def _read_progress(self, running: _Running) -> None:
        stream = running.process.stdout
        assert stream is not None  # noqa: S101  # a pipe was asked for
        parser = ProgressParser()
        rest = b""
        while data := await stream.read(_CHUNK):
            *lines, rest = (rest + data).split(b"\n")
            rest = rest[-_CHUNK:]  # a process that writes no lines must not fill the memory
            for line in lines:
                progress = parser.feed(line.decode(errors="replace"))
                if progress is not None:
                    running.watchdog.observe(progress, self._clock.now())
                    running.tell(progress)

    async def _read_log(self, running: _Running) -> None:
        stream = running.process.stderr
        assert stream is not None  # noqa: S101  # a pipe was asked for
        while data := await stream.read(_CHUNK):
            running.log.add(data)
            self._log.add(data)

    async def _watch(self, running: _Running) -> None:
        """End the process when it stalls or the attempt's time is up."""
        while True:
            await self._active.wait()
            now = self._clock.now()
            if now >= self._timeout_seconds:
                return self._end(running, Ending.TIMED_OUT)
            if running.watchdog.stalled(_cpu_seconds(running.process.pid), now):
                return self._end(running, Ending.STALLED)
            await asyncio.sleep(min(running.watchdog.deadline, self._timeout_seconds) - now)

    def _end(self, running: _Running, ending: Ending) -> None:
        if running.process.returncode is not None:
            return
        if running.ending is not Ending.STOPPED:
            running.ending = ending
        if self.suspended:
            running.send(signal.SIGKILL)
        elif not running.is_ending:
            running.send(signal.SIGTERM)
            running.kill_timer = asyncio.get_running_loop().call_later(
                self._grace_seconds, running.send, signal.SIGKILL
            )


async def _start(argv: Sequence[str]) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise MachineError(
            f"no process can be started: {error.strerror}",
            remedy="raise the limits on processes, open files and memory of the worker's user",
        ) from error


def _cpu_seconds(pid: int) -> float:
    """CPU time that the process has used; 0 when it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system
