from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffrtmp_ray.core.model import TaskState
from ffrtmp_ray.core.progress import ALMOST, job_progress
from tests.core.farm import make_task

PLAN = make_task("plan", TaskState.SUCCEEDED, weight=0.0)


def test_tasks_count_by_their_weights_and_succeeded_ones_whole() -> None:
    tasks = [
        PLAN,
        make_task("a", TaskState.SUCCEEDED, weight=3.0),
        make_task("b", TaskState.RUNNING, weight=1.0),
    ]
    assert job_progress(tasks, {"job-a": 0.1, "job-b": 0.5}, 0.0) == pytest.approx(87.5)


def test_while_the_plan_is_unfinished_only_what_was_shown_before_counts() -> None:
    tasks = [make_task("plan", TaskState.RUNNING)]
    assert job_progress(tasks, {"job-plan": 0.9}, 0.0) == 0.0
    assert job_progress(tasks, {"job-plan": 0.9}, 12.0) == 12.0


def test_it_is_never_below_what_was_shown_before() -> None:
    tasks = [PLAN, make_task("a", TaskState.RUNNING)]
    assert job_progress(tasks, {"job-a": 0.2}, 60.0) == 60.0


def test_it_is_100_only_when_everything_has_succeeded() -> None:
    running = [PLAN, make_task("a", TaskState.RUNNING)]
    assert job_progress(running, {"job-a": 1.0}, 100.0) == ALMOST
    assert job_progress([PLAN, make_task("a", TaskState.SUCCEEDED)], {}, 0.0) == 100.0


def test_only_the_newest_plan_counts() -> None:
    tasks = [
        PLAN,
        make_task("a", TaskState.CANCELED, weight=9.0),
        make_task("a-p1", TaskState.RUNNING, plan=1),
    ]
    assert job_progress(tasks, {"job-a-p1": 0.25}, 0.0) == 25.0


def test_tasks_without_weight_move_nothing() -> None:
    assert job_progress([make_task("a", weight=0.0)], {"job-a": 0.5}, 3.0) == 3.0
    assert job_progress([], {}, 0.0) == 0.0


@given(
    weights=st.lists(st.floats(0, 1e6), min_size=1, max_size=6),
    fractions=st.lists(st.floats(-1, 2), min_size=6, max_size=6),
    floor=st.floats(-10, 200),
)
def test_whatever_workers_report_it_stays_between_the_floor_and_under_100(
    weights: list[float], fractions: list[float], floor: float
) -> None:
    tasks = [make_task(f"t{n}", TaskState.RUNNING, weight=w) for n, w in enumerate(weights)]
    reported = {task.id: f for task, f in zip(tasks, fractions, strict=False)}
    percent = job_progress(tasks, reported, floor)
    assert min(max(floor, 0.0), ALMOST) <= percent <= ALMOST
