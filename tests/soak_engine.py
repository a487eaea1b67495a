"""The engine's state machine for as many steps as wanted, counted one by one, on all CPUs.

    python -m tests.soak_engine

What happens in a step, and what must be true after it, is in `tests/core/test_engine_machine.py`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import ClassVar

from hypothesis import seed, settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from tests.core.test_engine_machine import QUICK, Engine

STEPS = 200_000
SLICE = 50
"""Stories told between two counts; each slice is told from a seed of its own."""
LONG = settings(QUICK, max_examples=SLICE, stateful_step_count=100, database=None)


class CountedEngine(Engine):
    steps: ClassVar[int] = 0
    """That this process has taken. Hypothesis draws some stories that it gives up half way: their
    steps were taken and checked as all others."""

    @invariant()
    def the_step_is_counted(self) -> None:
        """All invariants are looked at after each step, so this one counts the steps."""
        CountedEngine.steps += 1


def main() -> None:
    parser = argparse.ArgumentParser(description="Run the engine's state machine for long.")
    parser.add_argument("--steps", type=int, default=STEPS, help="at least (%(default)s)")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="(by chance)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="(%(default)s)")
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}, {wanted.processes} processes", flush=True)
    began = time.monotonic()
    steps = told = 0
    for taken in slices(wanted.seed, wanted.steps, wanted.processes):
        steps += taken
        if steps * 10 // wanted.steps > told:
            told = steps * 10 // wanted.steps
            print(f"{steps:,} steps in {time.monotonic() - began:.0f} s", flush=True)
    seconds = time.monotonic() - began
    print(f"{steps:,} steps, all invariants held after each, in {seconds:.0f} s")


def slices(first_seed: int, wanted: int, processes: int) -> Iterator[int]:
    """The steps of one slice after another, until they come to `wanted`. What a slice finds is
    raised: the story that led to it, in its shortest form, is printed."""
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=fresh) as pool:
        running: list[Future[int]] = []
        next_seed, steps = first_seed, 0
        while steps < wanted:
            while len(running) < processes:
                running.append(pool.submit(run_slice, next_seed))
                next_seed += 1
            taken = running.pop(0).result()
            steps += taken
            yield taken


def run_slice(number: int) -> int:
    """Returns the steps taken."""
    before = CountedEngine.steps
    run_state_machine_as_test(seed(number)(CountedEngine), settings=LONG)
    return CountedEngine.steps - before


if __name__ == "__main__":
    main()
