"""How soon a farm answers again whose scheduler is killed, and what that does to what runs.

    python -m benchmarks.comeback

A farm of its own with a long encode on each CPU and jobs that wait. Each round kills the
scheduler's process (SIGKILL) and asks over HTTP, as users do, until a job is read and until another
is accepted, which is when it is on disk. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psutil

from benchmarks.farm import farm, say
from benchmarks.sources import Make, make_source
from benchmarks.waiting import wait_until
from ffrtmp_ray.client import Client
from ffrtmp_ray.core.model import Queue
from ffrtmp_ray.media import ffmpeg as programs
from ffrtmp_ray.media.spec import MOST_IN_BATCH, Codec, Effort, JobSpec, Ladder, Rendition
from ffrtmp_ray.settings import Settings

ROUNDS = 5
WAITING = 1000
"""Jobs that wait meanwhile."""
ASK_SECONDS = 0.02
"""Between two tries of one who asks."""
LIMIT_SECONDS = 60.0
CLIP = Make(640, 360, 25, ("libx264", "-preset", "ultrafast"))
CLIP_SECONDS = 240
"""Of an encode that outlasts all rounds."""
SLOW = Rendition(name="slow", codec=Codec.HEVC, crf=18, effort=Effort.THOROUGH)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--waiting", type=int, default=WAITING, help="jobs")
    parser.add_argument(
        "--no-standby",
        dest="standby",
        action="store_false",
        help="no other scheduler stands by; the killed one is started again",
    )
    wanted = parser.parse_args()
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        client = ends.enter_context(farm(folder, FFRTMP_STANDBY=json.dumps(wanted.standby)))
        clip = folder / "clip.mp4"
        make_source(programs.find(Settings().ffmpeg), clip, CLIP, CLIP_SECONDS)
        running = encode(client, clip, folder)
        wait_in_line(client, clip, folder, wanted.waiting)
        rounds = [
            struck(client, folder, clip, running, each, standby=wanted.standby)
            for each in range(wanted.rounds)
        ]
        attempts = attempts_of(client, running)
        client.cancel(running)
    print(json.dumps({"standby": wanted.standby} | summary(rounds, attempts, wanted.waiting)))


def encode(client: Client, clip: Path, folder: Path) -> str:
    """The id of a job of which a chunk is encoded on each CPU, when all run."""
    cpus = sum(worker.cpus for worker in client.workers())
    spec = spec_of(clip, folder / "running.mp4", chunks=cpus, queue=Queue.LIVE)
    job_id = client.submit(spec).id
    _wait(lambda: attempts_of(client, job_id) == [1] * cpus, f"{cpus} encodes run")
    say(f"{cpus} encodes run")
    return job_id


def wait_in_line(client: Client, clip: Path, folder: Path, count: int) -> None:
    later = datetime.now(UTC) + timedelta(days=1)
    specs = [spec_of(clip, folder / f"{n}.mp4", not_before=later) for n in range(count)]
    for first in range(0, count, MOST_IN_BATCH):
        client.submit_many(specs[first : first + MOST_IN_BATCH])


def spec_of(clip: Path, target: Path, **fields: object) -> JobSpec:
    ladder = Ladder(renditions=(SLOW,), audio=None)
    return JobSpec.model_validate(
        {"input": str(clip), "output": str(target), "ladder": ladder, **fields}
    )


def attempts_of(client: Client, job_id: str) -> list[int]:
    """Of each encode."""
    tasks = client.job(job_id).tasks
    return [len(task.attempts) for task in tasks if task.kind == "encode"]


def struck(
    client: Client, folder: Path, clip: Path, running: str, number: int, *, standby: bool
) -> list[float]:
    """Seconds from the scheduler's death to the first read and to the first accepted job."""
    base = str(client.address)
    later = datetime.now(UTC) + timedelta(days=1)
    body = spec_of(clip, folder / f"after{number}.mp4", not_before=later).model_dump_json()
    if standby:
        _wait(lambda: client.ready().standby, "a scheduler stands by")
    scheduler = psutil.Process(client.ready().process)
    requests = [("GET", f"{base}/jobs/{running}", ""), ("POST", f"{base}/jobs", body)]
    scheduler.kill()
    began = time.monotonic()
    with ThreadPoolExecutor(len(requests)) as callers:
        ends = list(callers.map(lambda request: answered(*request), requests))
    seconds = [end - began for end in ends]
    say(f"round {number + 1}: read after {seconds[0]:.2f} s, accepted after {seconds[1]:.2f} s")
    _wait(lambda: client.ready().ready, "the farm is ready again")
    return seconds


def answered(method: str, url: str, body: str) -> float:
    """When it is answered as it should be."""
    until = time.monotonic() + LIMIT_SECONDS
    headers = {"content-type": "application/json"}
    while time.monotonic() < until:
        try:
            answer = httpx.request(
                method, url, content=body, headers=headers, timeout=LIMIT_SECONDS
            )
        except httpx.HTTPError:
            time.sleep(ASK_SECONDS)
            continue
        if answer.is_success:
            return time.monotonic()
        if answer.status_code < httpx.codes.INTERNAL_SERVER_ERROR:
            raise SystemExit(f"{method} {url}: {answer.text}")
        time.sleep(ASK_SECONDS)
    raise SystemExit(f"{method} {url} is not answered within {LIMIT_SECONDS:g} s")


def _wait(condition: Callable[[], bool], what: str) -> None:
    wait_until(condition, what, seconds=LIMIT_SECONDS, pause=ASK_SECONDS)


def summary(rounds: list[list[float]], attempts: list[int], waiting: int) -> dict[str, float]:
    reads, submits = zip(*rounds, strict=True)
    load_average, _, _ = os.getloadavg()
    return {
        "rounds": len(rounds),
        "jobs_waiting": waiting,
        "tasks_running": len(attempts),
        "tasks_restarted": sum(attempts) - len(attempts),
        "read_seconds_median": round(statistics.median(reads), 2),
        "read_seconds_max": round(max(reads), 2),
        "submit_seconds_median": round(statistics.median(submits), 2),
        "submit_seconds_max": round(max(submits), 2),
        "load_average_1m": round(load_average, 1),
    }


if __name__ == "__main__":
    main()
