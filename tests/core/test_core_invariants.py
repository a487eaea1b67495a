"""That the check sees what it is there to see: each kind of damage, named by its number."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from ffrtmp_ray.core import invariants
from ffrtmp_ray.core.invariants import InvariantBroken
from ffrtmp_ray.core.model import JobState, Priority, Queue, Resources, StopReason, TaskState
from ffrtmp_ray.core.state import State
from tests.core.farm import FINISH, PUBLISH, Farm, encode, make_worker


def farm_at_work() -> Farm:
    """One task runs, one is placed, one is ready, one waits."""
    farm = Farm()
    farm.join("w1", 8)
    farm.submit("job", encode(), encode(name="second"), encode(name="third"), FINISH)
    farm.start("job-encode")
    return farm


def change_task(state: State, task_id: str, /, **fields: object) -> None:
    state.tasks[task_id] = replace(state.tasks[task_id], **fields)  # type: ignore[arg-type]


def change_job(state: State, /, **fields: object) -> None:
    state.jobs["job"] = replace(state.jobs["job"], **fields)  # type: ignore[arg-type]


def lose_from_the_queue(state: State) -> None:
    state.queue.discard(state.tasks["job-third"])


def lose_an_attempt(state: State) -> None:
    del state.current["job-encode"]


def forget_that_all_is_there(state: State) -> None:
    change_task(state, "job-finish", waits_for=frozenset())


def delay_for_ever(state: State) -> None:
    state.queue.discard(state.tasks["job-third"])
    change_task(state, "job-third", state=TaskState.DELAYED, not_before=2000.0)


def shrink_the_worker(state: State) -> None:
    state.workers["w1"] = make_worker("w1", 5)


def give_an_attempt_away(state: State) -> None:
    state.current["job-second"] = "job-encode-1-1"


def hold_a_finished_job(state: State) -> None:
    change_job(state, finished_at=1.0)


def show_another_state(state: State) -> None:
    change_job(state, state=JobState.QUEUED)


def miscount(state: State) -> None:
    state.counts.active += 1


def leave_room_unused(state: State) -> None:
    state.workers["w2"] = make_worker("w2")
    state.places.put_worker(state.workers["w2"])


@pytest.mark.parametrize(
    ("number", "damage"),
    [
        (1, lose_from_the_queue),
        (1, lose_an_attempt),
        (1, forget_that_all_is_there),
        (1, delay_for_ever),
        (2, shrink_the_worker),
        (3, give_an_attempt_away),
        (4, hold_a_finished_job),
        (5, show_another_state),
        (5, miscount),
        (7, leave_room_unused),
    ],
)
def test_damage_is_seen(number: int, damage: Callable[[State], None]) -> None:
    farm = farm_at_work()
    damage(farm.engine._state)
    with pytest.raises(InvariantBroken, match=f"invariant {number}: "):
        invariants.check(farm.engine)


def test_a_publication_that_is_disturbed_is_seen() -> None:
    farm = Farm()
    farm.join()
    farm.running(PUBLISH)
    farm.engine._state.tallies["job"].running -= 1
    change_task(
        farm.engine._state,
        "job-publish",
        state=TaskState.STOPPING,
        stop_reason=StopReason.PREEMPTED,
    )
    change_job(farm.engine._state, state=JobState.QUEUED)
    farm.engine._state.counts.active -= 1
    farm.engine._state.counts.waiting[Queue.DEFAULT, Priority.MEDIUM] += 1
    with pytest.raises(InvariantBroken, match="invariant 8: "):
        invariants.check(farm.engine)


def test_a_farm_at_work_is_sound() -> None:
    farm = farm_at_work()
    invariants.check(farm.engine)
    assert farm.engine.free("w1") == Resources(plan_slots=2, light_slots=2)
