"""How many decisions a second the engine alone makes, on one core, at which depth of its queue.

    python -m benchmarks.engine

No Ray, no store: `Scheduler.handle` and nothing else, each depth in a process of its own. The last
line is one JSON object.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import json
import math
import multiprocessing
import os
import pstats
import random
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import psutil

from ffrtmp_ray.cluster import collector
from ffrtmp_ray.core.messages import (
    AttemptAdded,
    AttemptChanged,
    Event,
    JobSubmitted,
    Outcome,
    TaskChanged,
    TaskStarted,
    TaskStopped,
    TaskSucceeded,
    WorkerJoined,
)
from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Job,
    JobState,
    Needs,
    NewTask,
    Policy,
    Priority,
    Queue,
    Requirement,
    Resources,
    TaskState,
    Worker,
)
from ffrtmp_ray.core.scheduler import Scheduler

T = TypeVar("T")

DEPTHS = (10_000, 100_000, 1_000_000)
WORKERS = 5_000
OWNERS = 1_000
BATCH = 1_000
"""Decisions that are timed in one go; between two batches as many jobs come as have ended."""
FEW = 50
"""Jobs that come in one go until all workers are busy; less than the shortest queue."""
TASK_SECONDS = 600.0
"""That a task takes; it sets how fast the engine's clock runs."""

GOAL_RATE = 20_000
GOAL_BYTES = 2_000

CODECS = ("libx264", "libx265", "libsvtav1", "libvpx-vp9", "h264_nvenc")
MOST_ENCODERS = 3
CPUS = 4
"""What a task takes where it has no GPU. Every worker has a multiple of it, and no alternative asks
for fewer, as those who wait together would get: so one task's end makes room for one other, and
placements are as many as successes."""
SHAPES = len(CODECS) * (MOST_ENCODERS + 1)
"""Of needs: each codec alone, or it or the next one or two, or it with a GPU before CPUs."""

QUEUES = {Queue.LIVE: 2, Queue.DEFAULT: 598, Queue.BATCH: 400}
PRIORITIES = {Priority.HIGH: 20, Priority.MEDIUM: 60, Priority.LOW: 20}
URGENT = 0.002
"""Shares of submissions. Live and urgent ones preempt others as they come, so all of them run at
once; they are few enough for the workers, also in the longest queue."""


@dataclass(frozen=True)
class Result:
    """Of one depth. Seconds are of CPU time, so that other work on the machine does not count."""

    depth: int
    decisions: int
    """Successes handled."""
    placements: int
    """That these brought about."""
    seconds: float
    """For the successes, changes and commands built."""
    starts_seconds: float
    """For the reports of start that came before them."""
    submitted_per_second: float
    """While the queue was filled: what did not find room at once."""
    preempted: int
    bytes_per_job: float
    """Growth of the process's resident memory while the queue was filled, by its depth."""

    @property
    def rate(self) -> float:
        return self.decisions / self.seconds

    @property
    def rate_with_starts(self) -> float:
        return self.decisions / (self.seconds + self.starts_seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the engine alone, on one core.")
    parser.add_argument("--depths", type=int, nargs="+", default=DEPTHS, help="queued jobs")
    parser.add_argument("--decisions", type=int, default=200_000, help="at each (%(default)s)")
    parser.add_argument("--workers", type=int, default=WORKERS, help="(%(default)s)")
    parser.add_argument("--owners", type=int, default=OWNERS, help="(%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    parser.add_argument(
        "--profile",
        type=int,
        metavar="LINES",
        help="print as many of the costliest functions; all rates are then those under a profiler",
    )
    wanted = parser.parse_args()
    say(
        f"{wanted.workers} workers, {wanted.owners} owners, {SHAPES} shapes;"
        f" gc thresholds {collector.THRESHOLDS}, survivors frozen, as in the scheduler"
    )
    results = [measure_apart(depth, wanted) for depth in sorted(wanted.depths)]
    report(results)


def measure_apart(depth: int, wanted: argparse.Namespace) -> Result:
    """In a process of its own, whose memory nothing else has used before. Its memory and its
    garbage collector are set as the scheduler's."""
    os.environ.update(collector.IN_LARGE_PAGES)
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh, initializer=collector.look_once) as pool:
        result = pool.submit(measure, depth, wanted).result()
    say(
        f"{depth:>9,} queued: {result.rate:>7,.0f} decisions/s"
        f" ({result.rate_with_starts:,.0f} with the starts reported before them),"
        f" {result.bytes_per_job:,.0f} bytes a job, {result.preempted} preemptions,"
        f" {result.submitted_per_second:,.0f} submissions/s"
    )
    return result


def measure(depth: int, wanted: argparse.Namespace) -> Result:
    farm = FullFarm(wanted.workers, wanted.owners, wanted.seed)
    fill_seconds, bytes_per_job = fill(farm, depth)
    profile = cProfile.Profile()
    seconds = starts_seconds = 0.0
    decisions = placements = 0
    while decisions < wanted.decisions:
        farm.submit(depth - farm.waiting)
        starts_seconds += farm.start_all()
        if wanted.profile:
            profile.enable()
        took, placed = farm.succeed(min(BATCH, wanted.decisions - decisions))
        profile.disable()
        seconds += took
        placements += placed
        decisions = farm.succeeded
    if wanted.profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(wanted.profile)
    return Result(
        depth=depth,
        decisions=decisions,
        placements=placements,
        seconds=seconds,
        starts_seconds=starts_seconds,
        submitted_per_second=depth / fill_seconds,
        preempted=farm.preempted,
        bytes_per_job=bytes_per_job,
    )


def fill(farm: FullFarm, depth: int) -> tuple[float, float]:
    """Have all workers busy and `depth` jobs queued. Returns the CPU seconds that the queue
    took, and the bytes per job in it."""
    while not farm.waiting:
        farm.submit(FEW)
    farm.start_all()
    gc.collect()
    process, missing = psutil.Process(), depth - farm.waiting
    before = process.memory_info().rss
    seconds = 0.0
    while farm.waiting < depth:
        seconds += farm.submit(min(BATCH, depth - farm.waiting))
        farm.start_all()
    gc.collect()
    return seconds, (process.memory_info().rss - before) / missing


class FullFarm:
    """An engine and what befalls it. Everything but the engine's own work stays outside of the
    times that its methods return."""

    def __init__(self, workers: int, owners: int, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - chance that can be had again, no secret
        self.engine = Scheduler(Policy(), epoch=1)
        self._owners = owners
        self._now = 1_000_000.0
        self._submitted = 0
        self._step = 0.0
        """Seconds between two ends of tasks, once all workers are busy."""
        self._unstarted: dict[AttemptId, Attempt] = {}
        self._running: list[Attempt] = []
        self._place: dict[AttemptId, int] = {}
        """Where in the list an attempt is, so that any can be taken out at once."""
        self.waiting = 0
        """Jobs that wait for room."""
        self.succeeded = 0
        self.preempted = 0
        for number in range(workers):
            self._handle([WorkerJoined(make_worker(number))])

    def submit(self, count: int) -> float:
        """Returns the CPU seconds that `count` jobs took."""
        self.waiting += count
        jobs = [self._new_job() for _ in range(count)]
        seconds, _ = self._handle(jobs)
        return seconds

    def start_all(self) -> float:
        """Have workers report the start of all that was placed; returns CPU seconds."""
        started = list(self._unstarted.values())
        self._unstarted.clear()
        for attempt in started:
            self._place[attempt.id] = len(self._running)
            self._running.append(attempt)
        seconds, _ = self._handle([TaskStarted(each.worker_id, each.id) for each in started])
        self._step = TASK_SECONDS / max(1, len(self._running))
        return seconds

    def succeed(self, count: int) -> tuple[float, int]:
        """Have `count` running tasks succeed, whichever; returns CPU seconds, and placements."""
        ended = self._chance.sample(self._running, min(count, len(self._running)))
        self.succeeded += len(ended)
        return self._handle([TaskSucceeded(each.worker_id, each.id) for each in ended])

    def _new_job(self) -> JobSubmitted:
        """Nothing of it is shared with another job, as nothing is that comes over a network."""
        self._submitted += 1
        chance = self._chance
        job = Job(
            id=f"{self._submitted:011x}{chance.getrandbits(40):010x}",
            owner=f"owner-{chance.randrange(self._owners)}",
            queue=one_of(QUEUES, chance),
            priority=one_of(PRIORITIES, chance),
            state=JobState.PENDING,
            submitted_at=self._now,
            order=self._submitted,
            urgent=chance.random() < URGENT,
        )
        task = NewTask("encode0", "encode", make_needs(chance.randrange(SHAPES)), weight=60.0)
        return JobSubmitted(job, (task,))

    def _handle(self, events: Sequence[Event]) -> tuple[float, int]:
        """Returns the engine's CPU seconds for `events`, and how many tasks it placed."""
        handle, now, step = self.engine.handle, self._now, self._step
        outcomes = []
        began = time.process_time()
        for event in events:
            now += step
            outcomes.append(handle(event, now))
        seconds = time.process_time() - began
        self._now = now
        placed = 0
        for outcome in outcomes:
            placed += self._take_in(outcome)
        return seconds, placed

    def _take_in(self, outcome: Outcome) -> int:
        """Note what follows; what is to stop does so at once. Returns how many were placed."""
        placed = 0
        for change in outcome.changes:
            match change:
                case AttemptAdded(attempt):
                    self._unstarted[attempt.id] = attempt
                    self.waiting -= 1
                    placed += 1
                case AttemptChanged(attempt) if attempt.ended_at is not None:
                    self._take_out(attempt.id)
                case TaskChanged(task) if task.state is TaskState.STOPPING:
                    self.preempted += 1
                    self._stop(task.id)
        return placed

    def _stop(self, task_id: str) -> None:
        attempt = self.engine.attempt_of(task_id)
        if attempt is not None:
            self.waiting += 1
            self._handle([TaskStopped(attempt.worker_id, attempt.id)])

    def _take_out(self, attempt_id: AttemptId) -> None:
        self._unstarted.pop(attempt_id, None)
        place = self._place.pop(attempt_id, None)
        if place is not None:
            last = self._running.pop()
            if last.id != attempt_id:
                self._running[place] = last
                self._place[last.id] = place


def make_worker(number: int) -> Worker:
    """Nine of ten have 8 CPUs, the rest a GPU; a third of them do not have every encoder."""
    gpu = number % 10 == 9
    capacity = (
        Resources(cpus=4, gpu_sessions=1) if gpu else Resources(cpus=8, plan_slots=2, light_slots=4)
    )
    missing = number % len(CODECS) if number % 3 == 0 else None
    able = (codec for place, codec in enumerate(CODECS) if place != missing)
    return Worker(
        id=f"worker-{number:08x}-{'gpu0' if gpu else 'cpu'}-{number:08x}",
        node_id=f"{number:056x}",
        hostname=f"host-{number}",
        device="gpu0" if gpu else "cpu",
        capacity=capacity,
        capabilities=frozenset(able),
    )


def make_needs(shape: int) -> Needs:
    first, others = divmod(shape, MOST_ENCODERS + 1)
    if others == MOST_ENCODERS:
        able = frozenset({CODECS[first]})
        resources = (Resources(cpus=1, gpu_sessions=1), Resources(cpus=CPUS))
        return Needs(tuple(Requirement(each, able) for each in resources))
    codecs = [CODECS[(first + place) % len(CODECS)] for place in range(others + 1)]
    return Needs(tuple(Requirement(Resources(cpus=CPUS), frozenset({each})) for each in codecs))


def one_of(shares: Mapping[T, int], chance: random.Random) -> T:
    return chance.choices(list(shares), list(shares.values()))[0]


def report(results: Sequence[Result]) -> None:
    for shallow, deep in pairwise(results):
        growth, bound = cost_growth(shallow, deep)
        verdict = "no more than" if growth <= bound else "MORE than"
        say(
            f"{shallow.depth:,} -> {deep.depth:,}: a decision costs {growth:.2f} times as much,"
            f" {verdict} log n ({bound:.2f})"
        )
    deepest = results[-1]
    say(
        f"goals at {deepest.depth:,}: {deepest.rate:,.0f} of {GOAL_RATE:,} decisions/s,"
        f" {deepest.bytes_per_job:,.0f} of at most {GOAL_BYTES:,} bytes a job"
    )
    print(json.dumps({"depths": [summary(each) for each in results]}))


def cost_growth(shallow: Result, deep: Result) -> tuple[float, float]:
    """How many times as much a decision costs, and how many times it may: as log n grows."""
    return shallow.rate / deep.rate, math.log(deep.depth) / math.log(shallow.depth)


def summary(result: Result) -> dict[str, float]:
    return {
        "queued_jobs": result.depth,
        "decisions": result.decisions,
        "placements": result.placements,
        "decisions_per_second": round(result.rate),
        "decisions_per_second_with_starts": round(result.rate_with_starts),
        "submissions_per_second": round(result.submitted_per_second),
        "preempted": result.preempted,
        "bytes_per_queued_job": round(result.bytes_per_job),
    }


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
