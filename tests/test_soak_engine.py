"""The long run of the engine's state machine: it counts what it does, and ends at what it finds."""

from __future__ import annotations

import pytest

from ffrtmp_ray.core import invariants
from ffrtmp_ray.core.invariants import InvariantBroken
from ffrtmp_ray.core.scheduler import Scheduler
from tests.soak_engine import CountedEngine, run_slice


def test_a_slice_says_how_many_steps_it_has_taken() -> None:
    before = CountedEngine.steps
    taken = run_slice(1)
    assert taken == CountedEngine.steps - before
    assert taken > 1000


def test_a_broken_invariant_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Scheduler) -> None:
        raise InvariantBroken("invariant 0: nothing may be")

    monkeypatch.setattr(invariants, "check", refuse)
    with pytest.raises(InvariantBroken, match="invariant 0"):
        run_slice(1)
