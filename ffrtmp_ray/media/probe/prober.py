"""Asks child processes what is in media files; they are warm, limited, and replaced when they die.

For use in one event loop. Never imports PyAV.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import IO, Any, TypeVar

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.bucket import Bucket
from ffrtmp_ray.media.encode.work import ChunkWork, Value
from ffrtmp_ray.media.inputs import RELAYED
from ffrtmp_ray.media.probe.source import (
    Damage,
    Decoded,
    FirstNeeded,
    FirstPacket,
    FrameCount,
    ImageFile,
    KeptShare,
    NeededBuffer,
    SoundPackets,
    SoundSource,
    Source,
)

_CHILDREN = 2
"""One for plans and one for verifications, so that neither waits long for the other."""
_MOST_QUESTIONS = 250
"""That one child answers: it grows with each, by what libraries do not give back (at worst 120 MiB
after 300). A new one takes half a second of CPU time to start, and is started ahead."""
_SLOWEST_READING = 10_000_000
"""Bytes a second; a look at a large file may take longer by its size at this rate."""
_SLOWEST_NETWORK = 1_000_000
"""The same of a file that is read over the network."""

_DEATH_SECONDS = 0.5
"""For which the loop waits for a child that was killed. That takes milliseconds, unless it hangs
in a read that cannot be interrupted, as of a server of files that has gone."""

_CHILD_MODULE = "ffrtmp_ray.media.probe.child"

_Value = TypeVar("_Value", bound=Value)


class Prober:
    """`memory_bytes`: address space of a child; `timeout_seconds`: for a question, at least."""

    def __init__(self, *, memory_bytes: int, timeout_seconds: float) -> None:
        self._memory_bytes = memory_bytes
        self._timeout_seconds = timeout_seconds
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._room = asyncio.Semaphore(_CHILDREN)
        self._closed = False

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the children that are there."""
        return tuple(child.pid for child in (*self._idle, *self._busy))

    def start(self) -> None:
        """Have a child ready, with its libraries loaded, before the first question."""
        if not self._idle and not self._closed:
            self._idle.append(_Child(self._memory_bytes))

    def close(self) -> None:
        """Kill all children; questions still open are answered with a failure."""
        self._closed = True
        for child in (*self._idle, *self._busy):
            child.kill()
        self._idle.clear()

    async def probe(self, path: Path) -> Source | Failure:
        """What is in a file, or why it cannot be used."""
        limit = self._timeout_seconds + _size(path) / _SLOWEST_READING
        return await self._ask(Source, limit, "look", address=str(path))

    async def probe_input(self, address: str, size: int) -> Source | Failure:
        """The same of an input of `size` bytes, which may be read over the network."""
        slowest = _SLOWEST_NETWORK if address.startswith(RELAYED) else _SLOWEST_READING
        limit = self._timeout_seconds + size / slowest
        return await self._ask(Source, limit, "look", address=address)

    async def listen(self, source: Path | str, size: int = 0) -> SoundSource | Failure:
        """What is to be heard in a file, or in an input of `size` bytes at an address."""
        limit = self._timeout_seconds + size / _SLOWEST_NETWORK
        return await self._ask(SoundSource, limit, "listen", address=str(source))

    async def count(
        self,
        source: Path | str,
        span: tuple[int | None, int | None] = (None, None),
        *,
        timeout_seconds: float,
    ) -> FrameCount | Failure:
        """Decode the picture of a file, or of what is at an address, and count its frames: those
        from the first tick of `span` on and before the second; None is the beginning, and the end.
        """
        start, end = span
        return await self._ask(
            FrameCount, timeout_seconds, "count", address=str(source), start=start, end=end
        )

    async def damage(
        self, address: str, chunk: ChunkWork, *, timeout_seconds: float
    ) -> Damage | Failure:
        """Decode what a chunk of the picture at `address` needs, and count what is damaged."""
        end = chunk.end_pts if chunk.until_pts is None else chunk.until_pts + 1
        return await self._ask(
            Damage,
            timeout_seconds,
            "damage",
            address=address,
            seek=None if chunk.seek_seconds is None else str(chunk.seek_seconds),
            start=chunk.start_pts,
            end=end,
        )

    async def needed_buffer(self, path: Path, rate: int) -> NeededBuffer | Failure:
        """How large a buffer the picture of a file needs at `rate`, in bits per second."""
        limit = self._timeout_seconds + _size(path) / _SLOWEST_READING
        return await self._ask(NeededBuffer, limit, "needed_buffer", address=str(path), rate=rate)

    async def kept_share(self, path: Path, bound: Bucket) -> KeptShare | Failure:
        """For which part of the bits of a file's picture `bound` has room."""
        limit = self._timeout_seconds + _size(path) / _SLOWEST_READING
        given = asdict(bound)
        return await self._ask(KeptShare, limit, "kept_share", address=str(path), bound=given)

    async def sound_packets(self, path: Path, length: Fraction | None) -> SoundPackets | Failure:
        """How the packets of a file's first sound follow each other, each of which lasts `length`
        seconds, if that is known."""
        limit = self._timeout_seconds + _size(path) / _SLOWEST_READING
        each = None if length is None else str(length)
        return await self._ask(SoundPackets, limit, "sound_packets", address=str(path), length=each)

    async def first_packet(self, path: Path) -> FirstPacket | Failure:
        """When the first packet of a file is due."""
        return await self._ask(
            FirstPacket, self._timeout_seconds, "first_packet", address=str(path)
        )

    async def first_of_bitmaps(self, path: Path, start: Fraction) -> FirstNeeded | Failure:
        """When the first packet of a file of bitmaps is due without which what is shown at `start`
        would not be seen."""
        limit = self._timeout_seconds + _size(path) / _SLOWEST_READING
        return await self._ask(
            FirstNeeded, limit, "first_of_bitmaps", address=str(path), start=str(start)
        )

    async def image(self, path: Path) -> ImageFile | Failure:
        """What a still image is, or why it cannot be used."""
        return await self._ask(ImageFile, self._timeout_seconds, "image", path=str(path))

    async def sample(self, path: Path, fractions: Sequence[float]) -> Decoded | Failure:
        """Decode about a second of the picture at each of some places (0: start, 1: end)."""
        return await self._ask(
            Decoded, self._timeout_seconds, "sample", address=str(path), fractions=list(fractions)
        )

    async def _ask(
        self, kind: type[_Value], limit: float, do: str, **arguments: Any
    ) -> _Value | Failure:
        async with self._room:
            child = self._take()
            self._busy.add(child)
            try:
                answer = await asyncio.wait_for(child.ask({"do": do, "with": arguments}), limit)
            except TimeoutError:
                return Failure(
                    FailureKind.TIMED_OUT, f"the file could not be examined in {limit:.0f} seconds"
                )
            finally:
                self._busy.discard(child)
                if child.usable and not self._closed:
                    self._idle.append(child)
                else:
                    child.kill()
                if child.questions == _MOST_QUESTIONS:
                    self.start()
        if answer is None:
            return Failure(
                FailureKind.CRASHED,
                f"the process that examines files ended with status {child.status}; "
                "the file may be damaged, or the machine is short of memory",
            )
        if "failure" in answer:
            return Failure(FailureKind(answer["failure"]["kind"]), answer["failure"]["reason"])
        return kind.model_validate(answer["value"])

    def _take(self) -> _Child:
        while self._idle:
            child = self._idle.pop()
            if child.usable:
                return child
            child.kill()  # it died while nobody asked anything
        return _Child(self._memory_bytes)


class _Child:
    """One child process. It answers one question at a time."""

    def __init__(self, memory_bytes: int) -> None:
        # Not multiprocessing: its children would load the parent's main module, which in a worker
        # is Ray's. Started from the event loop's thread, which the death signal follows.
        self._process = subprocess.Popen(
            [sys.executable, "-m", _CHILD_MODULE, str(os.getpid()), str(memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        self._asked = False
        self.questions = 0
        """Put to it so far."""

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int:
        """Once killed: its exit status, or the negative number of the signal that killed it."""
        code = self._process.poll()
        return -signal.SIGKILL if code is None else code

    @property
    def usable(self) -> bool:
        """Alive, not worn out, and owes no answer."""
        worn_out = self.questions >= _MOST_QUESTIONS
        return not self._asked and not worn_out and self._process.poll() is None

    async def ask(self, question: Mapping[str, Any]) -> dict[str, Any] | None:
        """Its answer; None when it died over it."""
        self._asked = True
        self.questions += 1
        line = await asyncio.to_thread(self._exchange, json.dumps(question).encode() + b"\n")
        if not line.endswith(b"\n"):
            self.kill()
            return None
        self._asked = False
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        self._process.kill()
        try:
            self._process.wait(_DEATH_SECONDS)
        except subprocess.TimeoutExpired:  # it waits for a disk, and this loop not for it
            threading.Thread(target=self._process.wait, name="reap", daemon=True).start()
        if not self._asked:  # else the thread that reads the answer sees the end, and closes
            self._close()

    def _exchange(self, question: bytes) -> bytes:
        """Blocks until the answer is there, or until the child is dead."""
        stdin, stdout = self._pipes
        line = b""
        with suppress(OSError):  # it is dead: an answer that ends early says so
            stdin.write(question)
            stdin.flush()
            line = stdout.readline()
        if not line.endswith(b"\n"):
            self._close()
        return line

    @property
    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None  # noqa: S101, PT018  # both were asked for
        return stdin, stdout

    def _close(self) -> None:
        for pipe in self._pipes:
            with suppress(OSError):  # a question that it never read
                pipe.close()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
