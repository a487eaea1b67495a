"""Which jobs come when, from a seed: the same ones to whoever decides."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from benchmarks.simulation.scenario import Kind, Scenario

MOST_CHUNKS = 16


class Arrival(NamedTuple):
    at: float
    """Seconds from the beginning; all times here are."""
    number: int
    """From 1, in the order of arrival."""
    owner: str
    kind: Kind
    work: float
    """CPU-seconds in all."""

    @property
    def chunks(self) -> int:
        return min(MOST_CHUNKS, math.ceil(self.work / self.kind.chunk))


def arrivals(scenario: Scenario, seed: int) -> Iterator[Arrival]:
    """All jobs of `scenario` in the order of their coming, made as they are asked for."""
    chance = random.Random(seed)  # noqa: S311 - chance that can be had again, no secret
    shares = list(accumulate(kind.share for kind in scenario.kinds))
    owners, parts = list(scenario.owners), list(accumulate(scenario.owners.values()))
    for number, (at, kind) in enumerate(_moments(scenario, chance), start=1):
        chosen = kind or chance.choices(scenario.kinds, cum_weights=shares)[0]
        work = chosen.work * math.exp(chosen.spread * chance.gauss(0.0, 1.0))
        yield Arrival(at, number, chance.choices(owners, cum_weights=parts)[0], chosen, work)


def _moments(scenario: Scenario, chance: random.Random) -> Iterator[tuple[float, Kind | None]]:
    """When a job comes, and of what kind if that is not left to chance."""
    alone: list[tuple[float, Kind | None]] = []
    if scenario.lone:
        alone.append((scenario.lone.at * scenario.seconds, scenario.lone.kind))
    singly = ((at, None) for at in _singly(scenario, chance))
    at_once = ((at, None) for at in _at_once(scenario))
    return heapq.merge(singly, at_once, alone, key=lambda moment: moment[0])


def _singly(scenario: Scenario, chance: random.Random) -> Iterator[float]:
    """A Poisson process whose rate goes up and down, by thinning (Lewis and Shedler, 1979)."""
    count, seconds = scenario.jobs - _in_bursts(scenario), scenario.seconds
    peak = count / seconds * (1.0 + scenario.swing)
    at = 0.0
    while count:
        at += chance.expovariate(peak)
        wave = math.sin(2.0 * math.pi * at / seconds)
        if chance.random() * (1.0 + scenario.swing) < 1.0 + scenario.swing * wave:
            count -= 1
            yield at


def _at_once(scenario: Scenario) -> Iterator[float]:
    count, bursts, seconds = _in_bursts(scenario), scenario.bursts, scenario.seconds
    if bursts:
        for place in range(count):
            burst = place * bursts.number // count
            yield seconds * (burst + 0.5) / bursts.number


def _in_bursts(scenario: Scenario) -> int:
    return round(scenario.jobs * scenario.bursts.share) if scenario.bursts else 0
