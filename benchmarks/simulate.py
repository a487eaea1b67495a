"""The engine in a simulated farm of thousands of workers, beside a plain queue.

    python -m benchmarks.simulate steady burst

Virtual time, seeded: the same jobs come to the engine and to a first-come-first-served queue with
one line for everything, so that the ratio of their waiting times says what the engine is worth. The
last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

from benchmarks.simulation.farm import Decider, Farm
from benchmarks.simulation.fifo import Fifo
from benchmarks.simulation.report import as_json, lines
from benchmarks.simulation.scenario import Scenario
from benchmarks.simulation.scenarios import SCENARIOS
from benchmarks.simulation.summary import Summary, summarize
from ffrtmp_ray.cluster import collector
from ffrtmp_ray.core import invariants
from ffrtmp_ray.core.scheduler import Scheduler


def engine(scenario: Scenario) -> Scheduler:
    return Scheduler(scenario.policy, epoch=1)


def fifo(_: Scenario) -> Fifo:
    return Fifo()


DECIDERS: Mapping[str, Callable[[Scenario], Decider]] = {"engine": engine, "fifo": fifo}


def main() -> None:
    parser = argparse.ArgumentParser(
        description="Simulate a farm under the engine, and under a plain queue.",
        epilog="; ".join(f"{each.name}: {each.about}" for each in SCENARIOS.values()),
    )
    parser.add_argument("scenarios", nargs="*", help="all, if none is named: see below")
    parser.add_argument("--jobs", type=int, help="(the scenario's own number)")
    parser.add_argument("--workers", type=int, help="(the scenario's own number)")
    parser.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    parser.add_argument("--alone", action="store_true", help="the engine without the plain queue")
    parser.add_argument(
        "--check", type=int, metavar="N", help="check the engine's invariants at every N-th event"
    )
    wanted = parser.parse_args()
    unknown = set(wanted.scenarios) - SCENARIOS.keys()
    if unknown:
        parser.error(f"no scenario {', '.join(unknown)}: there are {', '.join(SCENARIOS)}")
    names = ["engine"] if wanted.alone else list(DECIDERS)
    results = {}
    for name in wanted.scenarios or SCENARIOS:
        scenario = sized(SCENARIOS[name], wanted.jobs, wanted.workers)
        found = [simulate_apart(scenario, each, wanted.seed, wanted.check) for each in names]
        for line in lines(scenario, found):
            print(line, flush=True)
        results[name] = as_json(found)
    print(json.dumps(results))


def sized(scenario: Scenario, jobs: int | None, workers: int | None) -> Scenario:
    return replace(scenario, jobs=jobs or scenario.jobs, workers=workers or scenario.workers)


def simulate_apart(scenario: Scenario, decider: str, seed: int, check: int | None) -> Summary:
    """In a process of its own, so that its memory is not that of the one before. Its garbage
    collector and its allocator are set as the scheduler's."""
    os.environ.update(collector.IN_LARGE_PAGES)
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh, initializer=collector.look_once) as pool:
        return pool.submit(simulate, scenario, decider, seed, check).result()


def simulate(scenario: Scenario, decider: str, seed: int = 1, check: int | None = None) -> Summary:
    """Raises Overcommitted, or InvariantBroken at every `check`-th event of the engine."""
    decides = DECIDERS[decider](scenario)
    farm = Farm(scenario, decides, seed)

    def look() -> None:
        if check and farm.ledger.events % check == 0 and isinstance(decides, Scheduler):
            invariants.check(decides)

    return summarize(decider, farm.run(look), scenario)


if __name__ == "__main__":
    main()
