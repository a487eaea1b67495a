"""Requests as fast as one process of Python sends them: HTTP/1.1 on plain streams.

A client library takes several times as long for a request as the farm does, on the same CPUs.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


class Connection:
    """One connection that is kept open. One request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str):
        self._reader = reader
        self._writer = writer
        self._host = host

    @classmethod
    async def open(cls, address: str) -> Self:
        """To the server at the URL `address`."""
        url = urlsplit(address)
        reader, writer = await asyncio.open_connection(url.hostname, url.port, limit=1 << 24)
        return cls(reader, writer, url.netloc)

    async def ask(self, method: str, path: str, body: bytes = b"") -> Answer:
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: {self._host}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        length = next(int(line[15:]) for line in lines if line.lower()[:15] == b"content-length:")
        return Answer(int(lines[0].split()[1]), await self._reader.readexactly(length))

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()


@dataclass(frozen=True)
class Rate:
    """What a number of requests took together, and each of them."""

    requests: int
    seconds: float
    latencies: Sequence[float]

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


async def flood(
    address: str, method: str, path: str, bodies: Sequence[bytes], connections: int, status: int
) -> Rate:
    """Send all `bodies`, each connection its next one when it has its answer.

    Raises RuntimeError for an answer of another status than the one expected.
    """
    left = iter(bodies)
    latencies: list[float] = []

    async def work(connection: Connection) -> None:
        for body in left:
            began = time.perf_counter()
            answer = await connection.ask(method, path, body)
            latencies.append(time.perf_counter() - began)
            if answer.status != status:
                raise RuntimeError(f"{method} {path}: {answer.status} {answer.body[:500]!r}")

    pool = [await Connection.open(address) for _ in range(connections)]
    began = time.perf_counter()
    await asyncio.gather(*map(work, pool))
    seconds = time.perf_counter() - began
    for connection in pool:
        await connection.close()
    return Rate(len(latencies), seconds, latencies)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of them do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
