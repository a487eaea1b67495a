"""Jobs that are accepted and durable a second, over HTTP: one by one, and in batches.

    python -m benchmarks.submissions

Starts a farm of its own in a temporary folder and ends it; its workers are drained, so that no
ffmpeg runs. The same bodies go to a plain FastAPI with one SQLite commit for each (`plain_api`),
and as many requests to a route of the farm that does nothing (`GET /health`): what the way through
Serve costs alone. All on one machine, the client included, in turns. The last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.farm import drain_workers, farm, free_port, say
from benchmarks.load import Rate, flood, percentile
from ffrtmp_ray.client import Client
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.media.spec import MOST_IN_BATCH


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure durable submissions a second.")
    parser.add_argument("--singles", type=int, default=2000, help="in a round (%(default)s)")
    parser.add_argument("--batches", type=int, default=10, help="in a round (%(default)s)")
    parser.add_argument("--connections", type=int, default=32, help="of singles (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="(%(default)s)")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ffrtmp-submissions-") as name:
        folder = Path(name).resolve()
        (folder / "in.mp4").write_bytes(b"never opened: the workers are drained")
        with farm(folder) as client, plain_api(folder) as plain:
            drain_workers(client)
            bench = Bench(client, plain, folder, wanted.connections)
            bench.round(wanted.singles // 4, 1)  # to warm up
            rounds = [bench.round(wanted.singles, wanted.batches) for _ in range(wanted.rounds)]
            stored = sum(1 for _ in client.jobs(states=[JobState.PENDING]))
    if stored != bench.accepted:
        sys.exit(f"{bench.accepted} jobs were accepted, {stored} are there")
    report(rounds, wanted.connections, stored)


class Bench:
    def __init__(self, client: Client, plain: str, folder: Path, connections: int) -> None:
        self._farm = client.address
        self._plain = plain
        self._folder = folder
        self._connections = connections
        self._made = 0
        self.accepted = 0

    def round(self, singles: int, batches: int) -> dict[str, Rate]:
        """Each of what is compared once."""
        rates = {
            "plain": self._flood(self._plain, "POST", "/jobs", self._specs(singles), 201),
            "health": self._flood(self._farm, "GET", "/health", [b""] * singles, 200),
            "singles": self._flood(self._farm, "POST", "/jobs", self._specs(singles), 201),
            "batches": self._flood(
                self._farm, "POST", "/jobs:batch", self._batches(batches), 200, connections=2
            ),
        }
        self.accepted += singles + batches * MOST_IN_BATCH
        say("  ".join(f"{name} {rate.per_second:.0f}/s" for name, rate in rates.items()))
        return rates

    def _flood(
        self,
        address: str,
        method: str,
        path: str,
        bodies: list[bytes],
        status: int,
        connections: int = 0,
    ) -> Rate:
        return asyncio.run(
            flood(address, method, path, bodies, connections or self._connections, status)
        )

    def _specs(self, number: int) -> list[bytes]:
        return [json.dumps(self._spec()).encode() for _ in range(number)]

    def _batches(self, number: int) -> list[bytes]:
        return [
            json.dumps({"jobs": [self._spec() for _ in range(MOST_IN_BATCH)]}).encode()
            for _ in range(number)
        ]

    def _spec(self) -> dict[str, object]:
        self._made += 1
        return {
            "input": str(self._folder / "in.mp4"),
            "output": str(self._folder / f"out/{self._made}.mp4"),
            "preset": "h264-720p",
            "owner": f"owner-{self._made % 10}",
            "labels": {"title": f"film {self._made}"},
        }


@contextmanager
def plain_api(folder: Path) -> Iterator[str]:
    """The URL of the alternative, which is answered."""
    port = free_port()
    argv = [sys.executable, "-m", "benchmarks.plain_api", str(folder / "plain.db"), str(port)]
    process = subprocess.Popen(argv)
    try:
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(transport=httpx.HTTPTransport(retries=20)) as http:
            http.get(f"{address}/docs").raise_for_status()
        yield address
    finally:
        process.terminate()
        process.wait()


def report(rounds: list[dict[str, Rate]], connections: int, stored: int) -> None:
    def median(name: str, times: int = 1) -> float:
        return statistics.median(each[name].per_second * times for each in rounds)

    singles = [latency for each in rounds for latency in each["singles"].latencies]
    result = {
        "machine_cpus": os.cpu_count(),
        "load_average_1m": round(os.getloadavg()[0], 2),
        "connections": connections,
        "jobs_stored": stored,
        "singles_per_second": round(median("singles"), 1),
        "singles_p50_ms": round(1000 * percentile(singles, 50), 1),
        "singles_p99_ms": round(1000 * percentile(singles, 99), 1),
        "batched_jobs_per_second": round(median("batches", MOST_IN_BATCH), 1),
        "plain_api_per_second": round(median("plain"), 1),
        "serve_health_per_second": round(median("health"), 1),
        "singles_over_plain_api_ratio": round(median("singles") / median("plain"), 3),
        "batched_over_plain_api_ratio": round(
            median("batches", MOST_IN_BATCH) / median("plain"), 2
        ),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
