"""The benchmark of the engine alone: it measures what it says it does."""

from __future__ import annotations

import argparse

import pytest

from benchmarks.engine import FullFarm, Result, cost_growth, fill, measure

FEW = argparse.Namespace(workers=20, owners=10, seed=1, decisions=300, profile=None)


def test_each_decision_is_a_success_and_a_placement() -> None:
    found = measure(500, FEW)
    assert found.decisions == 300
    assert found.placements == pytest.approx(300, rel=0.05)
    assert found.rate > found.rate_with_starts > 0


def test_the_queue_is_as_long_as_wanted_before_anything_is_measured() -> None:
    farm = FullFarm(workers=20, owners=10, seed=1)
    fill(farm, 500)
    queued = sum(farm.engine.queue_lengths().values())
    assert farm.waiting == queued == 500


def test_a_cost_that_grows_as_the_logarithm_is_within_its_bound() -> None:
    def at(depth: int, seconds: float) -> Result:
        return Result(depth, 1000, 1000, seconds, 0.0, 1.0, 0, 0.0)

    growth, bound = cost_growth(at(10_000, 1.0), at(100_000, 1.2))
    assert growth == pytest.approx(1.2)
    assert bound == pytest.approx(1.25)
