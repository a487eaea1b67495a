"""How soon the API answers while very many jobs wait.

    python -m benchmarks.api_latency

Starts a farm of its own in a temporary folder and ends it; its workers are drained, so that no
ffmpeg runs and every job waits. Requests of all kinds are sent at a fixed rate, whether earlier
ones have been answered or not, and a latency counts from the moment at which a request was due: a
farm that stalls does not slow the clock that it is measured by. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.farm import drain_workers, farm, say
from benchmarks.load import Connection, percentile
from ffrtmp_ray.media.spec import MOST_IN_BATCH

CONNECTIONS = 32
MIX = {"get": 25, "explain": 15, "list": 20, "submit": 20, "cancel": 10, "metrics": 10}
"""Requests of each kind in a hundred. `get` is of jobs that have ended, `explain` of such that
wait: why, and for how long."""
QUEUES = ("live", "default", "batch")
PRIORITIES = ("high", "medium", "low")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the API's latency with jobs queued.")
    parser.add_argument("--jobs", type=int, default=100_000, help="queued (%(default)s)")
    parser.add_argument("--rate", type=float, default=50, help="requests a second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the mixture (%(default)s)")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ffrtmp-latency-") as name:
        folder = Path(name).resolve()
        (folder / "in.mp4").write_bytes(b"never opened: the workers are drained")
        with farm(folder) as client:
            drain_workers(client)
            made = Requests(folder, random.Random(wanted.seed))  # noqa: S311 - a mixture, no secret
            filled = asyncio.run(fill(client.address, made, wanted.jobs))
            asyncio.run(measure(client.address, made, wanted.rate, min(5.0, wanted.seconds)))
            latencies = asyncio.run(measure(client.address, made, wanted.rate, wanted.seconds))
    report(wanted.jobs, filled, wanted.rate, latencies)


@dataclass
class Requests:
    """Makes requests, and remembers the jobs that they can be about."""

    folder: Path
    dice: random.Random
    waiting: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    made: int = 0

    def spec(self) -> dict[str, object]:
        self.made += 1
        return {
            "input": str(self.folder / "in.mp4"),
            "output": str(self.folder / f"out/{self.made}.mp4"),
            "preset": "h264-720p",
            "queue": self.dice.choice(QUEUES),
            "priority": self.dice.choice(PRIORITIES),
            "owner": f"owner-{self.made % 100}",
        }

    def of(self, kind: str) -> tuple[str, str, bytes]:
        """Method, path and body of a request of that kind."""
        makers: dict[str, Callable[[], tuple[str, str, bytes]]] = {
            "get": lambda: ("GET", f"/jobs/{self.dice.choice(self.ended)}", b""),
            "explain": lambda: ("GET", f"/jobs/{self.dice.choice(self.waiting)}", b""),
            "list": lambda: ("GET", f"/jobs?{self._filter()}", b""),
            "submit": lambda: ("POST", "/jobs", json.dumps(self.spec()).encode()),
            "cancel": lambda: ("POST", f"/jobs/{self._leaving()}/cancel", b""),
            "metrics": lambda: ("GET", "/metrics", b""),
        }
        return makers[kind]()

    def answered(self, kind: str, body: bytes) -> None:
        if kind == "submit":
            self.waiting.append(json.loads(body)["id"])
        elif kind == "cancel":
            self.ended.append(json.loads(body)["id"])

    def _leaving(self) -> str:
        place = self.dice.randrange(len(self.waiting))
        self.waiting[place], self.waiting[-1] = self.waiting[-1], self.waiting[place]
        return self.waiting.pop()

    def _filter(self) -> str:
        cursor = self.dice.randrange(1000, self.made)
        return self.dice.choice(
            [
                "limit=50",
                f"limit=50&cursor={cursor}",
                f"limit=50&state=pending&queue={self.dice.choice(QUEUES)}",
                f"limit=50&owner=owner-{self.dice.randrange(100)}",
                "limit=50&state=canceled",
            ]
        )


async def fill(address: str, made: Requests, jobs: int) -> float:
    """Queue so many jobs. Returns jobs accepted a second."""
    say(f"queueing {jobs} jobs")
    began = time.perf_counter()
    connection = await Connection.open(address)
    for start in range(0, jobs, MOST_IN_BATCH):
        specs = [made.spec() for _ in range(min(MOST_IN_BATCH, jobs - start))]
        answer = await connection.ask("POST", "/jobs:batch", json.dumps({"jobs": specs}).encode())
        made.waiting += [each["job"]["id"] for each in json.loads(answer.body)["answers"]]
    seconds = time.perf_counter() - began
    for _ in range(20):
        canceled = await connection.ask(*made.of("cancel"))
        made.answered("cancel", canceled.body)
    await connection.close()
    return jobs / seconds


async def measure(
    address: str, made: Requests, rate: float, seconds: float
) -> dict[str, list[float]]:
    """Seconds that each request took from the moment it was due, by kind."""
    say(f"sending {rate:g} requests a second for {seconds:g} s")
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await Connection.open(address))
    latencies: dict[str, list[float]] = defaultdict(list)

    async def send(kind: str, due: float) -> None:
        connection = await free.get()
        method, path, body = made.of(kind)
        answer = await connection.ask(method, path, body)
        latencies[kind].append(time.perf_counter() - due)
        free.put_nowait(connection)
        if answer.status not in (200, 201):
            sys.exit(f"{method} {path}: {answer.status} {answer.body[:500]!r}")
        made.answered(kind, answer.body)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as sending:
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            (kind,) = made.dice.choices(list(MIX), list(MIX.values()))
            sending.create_task(send(kind, due))
    while not free.empty():
        await free.get_nowait().close()
    return latencies


def report(jobs: int, filled: float, rate: float, latencies: dict[str, list[float]]) -> None:
    every = [latency for some in latencies.values() for latency in some]
    for kind, some in sorted(latencies.items()):
        say(f"{kind:8} {len(some):5}  " + "  ".join(f"{k} {v}" for k, v in _summary(some).items()))
    result = {
        "machine_cpus": os.cpu_count(),
        "load_average_1m": round(os.getloadavg()[0], 2),
        "jobs_queued": jobs,
        "queued_jobs_per_second": round(filled, 1),
        "requests_per_second": rate,
        "requests": len(every),
        **_summary(every),
        "p99_ms_by_kind": {
            kind: _summary(some)["p99_ms"] for kind, some in sorted(latencies.items())
        },
    }
    print(json.dumps(result))


def _summary(latencies: list[float]) -> dict[str, float]:
    return {
        f"p{percent}_ms": round(1000 * percentile(latencies, percent), 1)
        for percent in (50, 95, 99, 100)
    }


if __name__ == "__main__":
    main()
