"""The results of a simulation, in lines for a person and in JSON. Measures nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from benchmarks.simulation.ledger import Waits
from benchmarks.simulation.scenario import Scenario
from benchmarks.simulation.summary import Summary

FIRST_OWNERS = 3
"""Those with the most service, by name."""
JSON_NAMES = {
    "seconds": "farm_seconds",
    "waits": "wait_seconds",
    "still_waiting": "still_waiting_seconds",
    "service": "service_share",
    "lost_work": "lost_cpu_seconds",
    "decider_seconds": "decider_cpu_seconds",
}
"""What carries its unit in its name only there."""


def lines(scenario: Scenario, found: Sequence[Summary]) -> Iterator[str]:
    yield f"== {scenario.name}: {scenario.about}"
    yield (
        f"   {scenario.jobs:,} jobs in {scenario.seconds / 3600:.1f} h,"
        f" {scenario.workers:,} workers, load {scenario.load:g}"
    )
    yield from wait_lines(scenario, found)
    for each in found:
        yield from other_lines(each)


def wait_lines(scenario: Scenario, found: Sequence[Summary]) -> Iterator[str]:
    columns = "".join(f"{name:>9}" for name in ("p50", "p95", "p99", "max"))
    title = "seconds until the first encode began"
    yield f"   {title:<37}" + "".join(f"{each.decider:>5}{'':<33}" for each in found).rstrip()
    yield f"   {'':<25}{'jobs':>9}" + "".join(f"  {columns}" for _ in found)
    for name in row_names(scenario, found):
        waits = [each.waits.get(name) for each in found]
        count = max(each.count for each in waits if each)
        yield f"   {name:<25}{count:>9,}" + "".join(f"  {cells(each)}" for each in waits)
    for each in found:
        for name, unmet in each.still_waiting.items():
            yield (
                f"   {each.decider}: {unmet.count:,} jobs of {name} had not begun at the end,"
                f" the longest for {unmet.max:,.1f} s"
            )


def row_names(scenario: Scenario, found: Sequence[Summary]) -> list[str]:
    """All classes, and the kinds of those that have several."""
    kinds = [kind.label for kind in scenario.kinds]
    known = sorted({name for each in found for name in each.waits})
    return [name for name in known if ":" not in name or kinds.count(name.split(":")[0]) > 1]


def cells(waits: Waits | None) -> str:
    numbers = (waits.p50, waits.p95, waits.p99, waits.max) if waits else ()
    return "".join(f"{number:>9,.1f}" for number in numbers).ljust(36)


def other_lines(each: Summary) -> Iterator[str]:
    gpu = "" if each.gpu_utilization is None else f", GPUs {each.gpu_utilization:.1%}"
    yield (
        f"   {each.decider}: {each.completed:,} completed, {each.failed:,} failed,"
        f" {each.unfinished:,} unfinished after {each.seconds / 3600:.2f} h;"
        f" in use while jobs came: CPUs {each.cpu_utilization:.1%}{gpu}"
    )
    lost = "".join(f", {how} {seconds / 3600:,.0f} h" for how, seconds in each.lost_work.items())
    yield (
        f"      {each.preemptions:,} preemptions, {each.workers_lost:,} workers lost;"
        f" {each.lost_share:.2%} of the CPU time came to nothing{lost}"
    )
    shares = ", ".join(f"{owner} {share:.1%}" for owner, share in first_shares(each).items())
    yield (
        f"      service: {shares};"
        f" fairness between {len(each.service)} owners by weight {each.fairness:.3f}"
    )
    yield (
        f"      {each.events:,} events, {each.placements:,} placements:"
        f" {each.decisions_per_second:,.0f} decisions/s, {each.decider_seconds:.1f} s in all;"
        f" {each.peak_memory_bytes / 2**20:,.0f} MiB at most"
    )


def first_shares(each: Summary) -> Mapping[str, float]:
    total = sum(each.service.values()) or 1.0
    return {owner: got / total for owner, got in list(each.service.items())[:FIRST_OWNERS]}


def as_json(found: Sequence[Summary]) -> dict[str, object]:
    result: dict[str, object] = {}
    for each in found:
        numbers = {JSON_NAMES.get(name, name): value for name, value in asdict(each).items()}
        numbers["service_share"] = first_shares(each)
        result[each.decider] = rounded(numbers)
    if len(found) > 1:
        result["wait_ratio"] = rounded(wait_ratios(*found))
    return result


def wait_ratios(ours: Summary, other: Summary) -> dict[str, dict[str, float]]:
    """How many times as long jobs of each class waited under `other`."""
    return {
        name: {"p50": theirs.p50 / mine.p50, "p95": theirs.p95 / mine.p95}
        for name, mine in ours.waits.items()
        if (theirs := other.waits.get(name))
    }


def rounded(value: object) -> object:
    """To a thousandth: the rest is noise."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, Mapping):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [rounded(each) for each in value]
    return value
