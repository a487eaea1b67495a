"""What a simulation is of: values, and what follows from them alone. No chance, no clock."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from ffrtmp_ray.core.model import Needs, Policy, Priority, Queue, Requirement, Resources

GPU_IS_WORTH = 16.0
"""CPUs; the speed of an encode on a GPU. Made up, as all speeds here are: of the order of what
hardware encoders do beside software ones at the same settings."""


def speed(grant: Requirement) -> float:
    """CPU-seconds of work that an encode does in a second with `grant`."""
    return GPU_IS_WORTH if grant.resources.gpu_sessions else float(grant.resources.cpus)


def speed_of(capacity: Resources) -> float:
    """CPU-seconds of work a second. The CPUs beside a GPU are there to feed it."""
    return GPU_IS_WORTH * capacity.gpu_sessions or float(capacity.cpus)


def cpus(*counts: int) -> Needs:
    """As many CPUs as the first of `counts`, else as the next."""
    return Needs(tuple(Requirement(Resources(cpus=each)) for each in counts))


GPU_ONLY = Needs((Requirement(Resources(cpus=1, gpu_sessions=1)),))
GPU_OR_CPUS = Needs((*GPU_ONLY.alternatives, *cpus(4, 2, 1).alternatives))


@dataclass(frozen=True)
class Machines:
    """Workers that are alike."""

    share: float
    """Of the fleet."""
    capacity: Resources


@dataclass(frozen=True)
class Kind:
    """Jobs that are alike but for their length, which is log-normal."""

    name: str
    share: float
    """Of all jobs."""
    needs: Needs
    queue: Queue = Queue.DEFAULT
    priority: Priority = Priority.MEDIUM
    urgent: bool = False
    work: float = 600.0
    """CPU-seconds that the median job takes to encode."""
    spread: float = 0.8
    """Standard deviation of the logarithm of that; 0.8: one in ten takes 2.8 times as much."""
    chunk: float = 600.0
    """CPU-seconds that one of a job's chunks takes at most, if it has fewer than 16 of them."""

    @property
    def mean_work(self) -> float:
        """CPU-seconds: https://en.wikipedia.org/wiki/Log-normal_distribution"""
        return self.work * math.exp(self.spread**2 / 2)

    @property
    def label(self) -> str:
        """Of its class."""
        return f"{self.queue.value}/{self.priority.value}"


@dataclass(frozen=True)
class Bursts:
    """Jobs that come all at once, beside those that come one by one."""

    share: float
    """Of all jobs; they come in the named number of bursts, evenly over the time."""
    number: int


@dataclass(frozen=True)
class Luck:
    """What goes wrong."""

    failing: float = 0.0
    """The chance that an attempt fails, somewhere on its way."""
    worker_life: float = math.inf
    """Mean seconds until a worker is lost without a word."""
    worker_absence: float = 300.0
    """Seconds until another one is in its place."""


@dataclass(frozen=True)
class Lone:
    """One job more, of a kind of its own, that comes once the farm is busy."""

    kind: Kind
    at: float
    """In parts of the time in which jobs come."""


@dataclass(frozen=True)
class Scenario:
    name: str
    about: str
    """What it is to show, in a sentence."""
    kinds: tuple[Kind, ...]
    machines: tuple[Machines, ...]
    owners: Mapping[str, float]
    """Each one's share of the jobs."""
    jobs: int = 50_000
    workers: int = 1_000
    load: float = 0.9
    """Work that comes, in parts of what the fleet can do meanwhile."""
    swing: float = 0.0
    """How much more comes at the busiest time than at the mean, and less at the calmest: the run
    is one day, however long."""
    bursts: Bursts | None = None
    luck: Luck = Luck()
    lone: Lone | None = None
    to_the_end: bool = True
    """Whether it goes on until all jobs have ended; else it ends with the last arrival."""
    policy: Policy = field(default_factory=Policy)

    def weight(self, owner: str) -> float:
        """The share of the farm that is due to an owner, beside those of the others."""
        return self.policy.owners.get(owner, self.policy.other_owners).weight

    @property
    def fleet(self) -> tuple[Resources, ...]:
        """What each worker has: one of each of the machines at least, so that all work can end."""
        counts = [max(1, round(each.share * self.workers)) for each in self.machines]
        pairs = zip(self.machines, counts, strict=True)
        return tuple(each.capacity for each, count in pairs for _ in range(count))

    @property
    def seconds(self) -> float:
        """In which jobs come: as long as `load` says, with as many jobs as there are."""
        can = sum(speed_of(each) for each in self.fleet)
        shares = sum(kind.share for kind in self.kinds)
        work = sum(kind.share / shares * kind.mean_work for kind in self.kinds)
        return self.jobs * work / (can * self.load)
