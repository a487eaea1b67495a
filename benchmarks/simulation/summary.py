"""What a simulated farm came to, in numbers that can be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.simulation.ledger import Ledger, Waits, peak_memory
from benchmarks.simulation.scenario import Scenario


@dataclass(frozen=True)
class Summary:
    decider: str
    completed: int
    failed: int
    unfinished: int
    seconds: float
    """Of the farm's own time."""
    waits: Mapping[str, Waits]
    """By class, and by kind."""
    still_waiting: Mapping[str, Waits]
    """By class, of jobs that had not begun when it ended: how long they had waited."""
    cpu_utilization: float
    """While jobs came."""
    gpu_utilization: float | None
    service: Mapping[str, float]
    """CPU-seconds that each owner's tasks had while jobs came, the most first."""
    fairness: float
    """Between all owners, of their service by their weights: see `fairness`."""
    preemptions: int
    workers_lost: int
    lost_work: Mapping[str, float]
    """CPU-seconds of attempts that came to nothing, by what ended them."""
    lost_share: float
    """Of all CPU-seconds."""
    placements: int
    events: int
    decisions_per_second: float
    """Placements by the CPU time that deciding took for everything that it was told."""
    decider_seconds: float
    peak_memory_bytes: int
    """Of the process: farm and decider together."""


def summarize(decider: str, ledger: Ledger, scenario: Scenario) -> Summary:
    cpu, gpu = ledger.utilization
    lost = {how: ledger.cpu_seconds[how] for how in LOST if how in ledger.cpu_seconds}
    spent = sum(ledger.cpu_seconds.values())
    return Summary(
        decider=decider,
        completed=ledger.jobs_completed,
        failed=ledger.jobs_failed,
        unfinished=ledger.jobs_unfinished,
        seconds=ledger.seconds,
        waits={name: Waits.of(seconds) for name, seconds in sorted(ledger.waits.items())},
        still_waiting={
            name: Waits.of(seconds) for name, seconds in sorted(ledger.still_waiting.items())
        },
        cpu_utilization=cpu,
        gpu_utilization=gpu,
        service=dict(sorted(ledger.service.items(), key=lambda each: -each[1])),
        fairness=fairness(got / scenario.weight(owner) for owner, got in ledger.service.items()),
        preemptions=ledger.scheduled["preempted"],
        workers_lost=ledger.workers_lost,
        lost_work=lost,
        lost_share=sum(lost.values()) / spent if spent else 0.0,
        placements=ledger.scheduled["placed"],
        events=ledger.events,
        decisions_per_second=ledger.decisions_per_second,
        decider_seconds=ledger.decider_seconds,
        peak_memory_bytes=peak_memory(),
    )


LOST = ("preempted", "failed", "lost with its worker")


def fairness(service: Iterable[float]) -> float:
    """Jain's index: 1.0 when all have got the same, 1/n when one of n has got everything.

    R. Jain, D. Chiu, W. Hawe: A Quantitative Measure of Fairness and Discrimination for Resource
    Allocation in Shared Computer Systems, 1984.
    """
    got = list(service)
    squares = sum(each * each for each in got)
    return sum(got) ** 2 / (len(got) * squares) if squares else 1.0
