"""What a simulated farm did: written down as it happens, summed up at the end."""

from __future__ import annotations

import math
import resource
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.simulation.arrivals import Arrival
from benchmarks.simulation.scenario import Kind, Scenario
from ffrtmp_ray.core.messages import Outcome
from ffrtmp_ray.core.model import Resources


@dataclass(frozen=True)
class Waits:
    """Seconds from the acceptance of jobs to the first second of their encoding."""

    count: int
    p50: float
    p95: float
    p99: float
    max: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Waits:
        """Of one wait at least."""
        waits = sorted(seconds)
        p50, p95, p99 = (nearest_rank(waits, share) for share in (0.5, 0.95, 0.99))
        return cls(len(waits), p50, p95, p99, waits[-1])


def nearest_rank(ordered: Sequence[float], share: float) -> float:
    """The smallest of the values that at least `share` of them do not exceed.

    https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method
    """
    return ordered[max(1, math.ceil(share * len(ordered))) - 1]


class Ledger:
    def __init__(self, scenario: Scenario) -> None:
        self.all_have_come = False
        self.workers_lost = 0
        self.jobs_completed = 0
        self.jobs_failed = 0
        self.jobs_unfinished = 0
        self.events = 0
        self.decider_seconds = 0.0
        """Of CPU time, that deciding took."""
        self.scheduled: Counter[str] = Counter()
        self.waits: dict[str, array[float]] = defaultdict(lambda: array("d"))
        """By class, and by `class: kind`."""
        self.still_waiting: dict[str, list[float]] = defaultdict(list)
        """How long those had waited that had not begun at the end."""
        self.cpu_seconds: defaultdict[str, float] = defaultdict(float)
        """By how the attempt ended."""
        self.service: defaultdict[str, float] = defaultdict(float)
        """CPU-seconds of each owner's attempts while jobs came, from the first tenth on."""
        self.busy_cpu_seconds = 0.0
        """While jobs came, as all of these."""
        self.busy_gpu_seconds = 0.0
        self.seconds = 0.0
        self._scenario = scenario
        self._arriving = scenario.seconds
        self._settled = scenario.seconds / 10

    def handled(self, seconds: float, outcome: Outcome) -> None:
        self.events += 1
        self.decider_seconds += seconds
        if outcome.scheduled:
            self.scheduled.update(outcome.scheduled)

    def waited(self, kind: Kind, seconds: float) -> None:
        self.waits[kind.label].append(seconds)
        self.waits[f"{kind.label}: {kind.name}"].append(seconds)

    def ended(self, *, completed: bool) -> None:
        self.jobs_completed += completed
        self.jobs_failed += not completed

    def spent(
        self, how: str, owner: str, resources: Resources, started: float, ended: float
    ) -> None:
        """An attempt has ended that had `resources` from `started` on."""
        seconds = ended - started
        self.cpu_seconds[how] += seconds * resources.cpus
        settled = overlap(started, ended, self._settled, self._arriving)
        self.service[owner] += settled * resources.cpus
        while_arriving = overlap(started, ended, 0.0, self._arriving)
        self.busy_cpu_seconds += while_arriving * resources.cpus
        self.busy_gpu_seconds += while_arriving * resources.gpu_sessions

    def close(self, now: float, unfinished: int, not_begun: Iterable[Arrival]) -> None:
        self.seconds = now
        self.jobs_unfinished = unfinished
        for arrival in not_begun:
            self.still_waiting[arrival.kind.label].append(now - arrival.at)

    # ---------------------------------------------------------------- what it comes to

    @property
    def utilization(self) -> tuple[float, float | None]:
        """Of CPUs and of GPUs, while jobs came; None where there is no GPU."""
        fleet = self._scenario.fleet
        cpus, gpus = (sum(each.cpus for each in fleet), sum(each.gpu_sessions for each in fleet))
        cpu = self.busy_cpu_seconds / (cpus * self._arriving)
        return cpu, self.busy_gpu_seconds / (gpus * self._arriving) if gpus else None

    @property
    def decisions_per_second(self) -> float:
        """Placements, by the time that the decider took for all that it was told."""
        return self.scheduled["placed"] / self.decider_seconds


def overlap(start: float, end: float, first: float, last: float) -> float:
    return max(0.0, min(end, last) - max(start, first))


def peak_memory() -> int:
    """Bytes that this process has had in memory at most (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
