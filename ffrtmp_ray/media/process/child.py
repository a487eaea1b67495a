"""One process: started, read, signaled, reaped. Why any of it happens is `runner`'s to know."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import cast

import psutil

from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.media.process.watchdog import Effort

_DRAIN_SECONDS = 1.0
"""A pipe that is still open so long after its process ended is held by somebody else."""
_STDOUT, _STDERR = 1, 2


class Child(asyncio.SubprocessProtocol):
    """A running process. What it writes is taken as it comes, so it never blocks on a pipe.

    A protocol and not asyncio's `Process`, whose `wait` does not return (on Python 3.11) while
    a pipe is held open by a process that this one has left behind.
    """

    def __init__(self, on_output: Callable[[bytes], None], on_log: Callable[[bytes], None]) -> None:
        self._take = {_STDOUT: on_output, _STDERR: on_log}
        self._open_pipes = {_STDOUT, _STDERR}
        self._drained = asyncio.Event()
        self._exited = asyncio.Event()
        self._piped_bytes = 0
        self._error: Exception | None = None
        self._transport: asyncio.SubprocessTransport

    async def start(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start `argv`, with nothing to read and that beside this process's environment. Raises
        MachineError when no process can be started.

        The callbacks take what it writes to stdout and to stderr.
        """
        try:
            await asyncio.get_running_loop().subprocess_exec(
                lambda: self,
                *argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, **environment},
            )
        except OSError as error:
            raise MachineError(
                f"no process can be started: {error.strerror}",
                remedy="raise the limits on processes, open files and memory of the worker's user",
            ) from error

    @property
    def pid(self) -> int:
        return self._transport.get_pid()

    @property
    def has_ended(self) -> bool:
        return self._exited.is_set()

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # it ended a moment ago
            self._transport.send_signal(number)

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
        code = self._transport.get_returncode()
        return -signal.SIGKILL if code is None else code

    async def end(self) -> None:
        """Leave nothing behind: kill the process if it still runs, and let go of its pipes."""
        if not self.has_ended:
            self.send(signal.SIGKILL)
            await self._exited.wait()
        self._transport.close()

    # ------------------------------------------------------------------ what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.SubprocessTransport, transport)  # uvloop's is no subclass

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._piped_bytes += len(data)
        try:
            self._take[fd](data)
        except Exception as error:  # noqa: BLE001  # kept for `wait`, which raises it
            self._error = self._error or error
            self.send(signal.SIGKILL)  # nobody listens: it must not run on

    def pipe_connection_lost(self, fd: int, _: Exception | None) -> None:
        self._open_pipes.discard(fd)
        if not self._open_pipes:
            self._drained.set()

    def process_exited(self) -> None:
        self._exited.set()
