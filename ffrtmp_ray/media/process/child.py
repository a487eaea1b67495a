"""One process: started, read, signaled, reaped. Why any of it happens is `runner`'s to know."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO

import psutil

from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.media.process.watchdog import Effort

_DRAIN_SECONDS = 1.0
"""A pipe that is still open so long after its process ended is held by somebody else."""
_READ_BYTES = 64 * 1024
"""As much as a pipe holds."""

_Take = Callable[[bytes], None]


class Child:
    """A running process. What it writes is taken as it comes, so it never blocks on a pipe.

    Not asyncio's `Process`, whose `wait` does not return (on Python 3.11) while a pipe is held open
    by a process that this one has left behind. Nor a transport of the loop: uvloop's, in which
    workers run, forks them with all that they have mapped and runs Python in the copy of a process
    that has threads; `subprocess` calls vfork, and nothing runs before the program does.
    """

    def __init__(self, on_output: _Take, on_log: _Take) -> None:
        self._take_output = on_output
        self._take_log = on_log
        self._loop = asyncio.get_running_loop()
        self._pipes: set[IO[bytes]] = set()
        self._drained = asyncio.Event()
        self._exited = asyncio.Event()
        self._piped_bytes = 0
        self._error: Exception | None = None
        self._process: subprocess.Popen[bytes]

    def start(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start `argv`, with nothing to read and that beside this process's environment. Raises
        MachineError when no process can be started.

        The callbacks take what it writes to stdout and to stderr.
        """
        try:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                env={**os.environ, **environment},
            )
            end = self._end_of_process()
        except OSError as error:
            raise MachineError(
                f"no process can be started: {error.strerror}",
                remedy="raise the limits on processes, open files and memory of the worker's user",
            ) from error
        self._loop.add_reader(end, self._reap, end)
        self._listen(self._process.stdout, self._take_output)
        self._listen(self._process.stderr, self._take_log)

    def _end_of_process(self) -> int:
        """A file that can be read once the process has ended. Where there can be none, nor is
        there a process."""
        try:
            return os.pidfd_open(self._process.pid)
        except OSError:
            with self._process:  # which closes its pipes, and waits for it
                self._process.kill()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._exited.is_set()

    def send(self, number: signal.Signals) -> None:
        """Nothing happens when it has ended."""
        self._process.send_signal(number)

    def effort(self) -> Effort:
        """What the process has spent; nothing when it is gone. Reads two small files of /proc."""
        try:
            process = psutil.Process(self.pid)
            times, written = process.cpu_times(), process.io_counters().write_chars
        except psutil.Error:
            return Effort()
        return Effort(times.user + times.system, written - self._piped_bytes)

    async def wait(self) -> int:
        """Its exit status, once it has ended and all that it wrote has been taken.

        The negative number of the signal that killed it. Raises what a callback has raised.
        """
        await self._exited.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await self._drained.wait()
        if self._error is not None:
            raise self._error
        return self._process.wait()

    async def end(self) -> None:
        """Leave nothing behind: kill the process if it still runs, and let go of its pipes."""
        if not self.has_ended:
            self.send(signal.SIGKILL)
            await self._exited.wait()
        for pipe in tuple(self._pipes):
            self._close(pipe)

    # ------------------------------------------------------------------ what the loop calls

    def _listen(self, pipe: IO[bytes] | None, take: _Take) -> None:
        assert pipe is not None  # noqa: S101 - for the type checker: both were asked for
        os.set_blocking(pipe.fileno(), False)
        self._pipes.add(pipe)
        self._loop.add_reader(pipe.fileno(), self._read, pipe, take)

    def _read(self, pipe: IO[bytes], take: _Take) -> None:
        try:
            data = os.read(pipe.fileno(), _READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            self._close(pipe)
            return
        self._piped_bytes += len(data)
        try:
            take(data)
        except Exception as error:  # noqa: BLE001  # kept for `wait`, which raises it
            self._error = self._error or error
            self.send(signal.SIGKILL)  # nobody listens: it must not run on

    def _close(self, pipe: IO[bytes]) -> None:
        self._loop.remove_reader(pipe.fileno())
        pipe.close()
        self._pipes.discard(pipe)
        if not self._pipes:
            self._drained.set()

    def _reap(self, end: int) -> None:
        self._loop.remove_reader(end)
        os.close(end)
        self._process.wait()
        self._exited.set()
