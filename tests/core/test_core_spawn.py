from __future__ import annotations

import pytest

from ffrtmp_ray.core.model import NewTask, TaskState
from ffrtmp_ray.core.spawn import build
from ffrtmp_ray.errors import InvalidRequest
from tests.core.farm import cpus, make_job, make_task


def new(name: str, *waits_for: str) -> NewTask:
    return NewTask(name, name, cpus(1), waits_for=waits_for)


def test_tasks_are_ready_or_wait_for_each_other_in_any_order_of_mention() -> None:
    tasks = build(make_job(), [new("finish", "a", "b"), new("a"), new("b", "a")], {})
    assert [(task.id, task.state) for task in tasks] == [
        ("job-finish", TaskState.WAITING),
        ("job-a", TaskState.READY),
        ("job-b", TaskState.WAITING),
    ]
    assert tasks[0].waits_for == {"job-a", "job-b"}


def test_what_waits_only_for_succeeded_tasks_is_ready() -> None:
    plan = make_task("plan", TaskState.SUCCEEDED)
    (task,) = build(make_job(), [new("a", "plan")], {plan.id: plan})
    assert task.state is TaskState.READY


def test_tasks_of_a_later_plan_have_ids_of_their_own() -> None:
    old = make_task("a", TaskState.CANCELED)
    (task,) = build(make_job(plan=2), [new("a")], {old.id: old})
    assert (task.id, task.plan) == ("job-a-p2", 2)


def test_a_later_plan_may_build_on_what_succeeded_in_an_earlier_one() -> None:
    audio = make_task("audio", TaskState.SUCCEEDED)
    (task,) = build(make_job(plan=1), [new("finish", "audio")], {audio.id: audio})
    assert task.waits_for == {"job-audio"}
    assert task.state is TaskState.READY


def test_a_later_plan_may_not_wait_for_what_was_canceled_with_an_earlier_one() -> None:
    audio = make_task("audio", TaskState.CANCELED)
    with pytest.raises(InvalidRequest, match="waits for audio, which is no task"):
        build(make_job(plan=1), [new("finish", "audio")], {audio.id: audio})


@pytest.mark.parametrize(
    ("additions", "trouble"),
    [
        ([new("a"), new("a")], "same name"),
        ([new("plan")], "same name"),
        ([new("a", "nothing")], "task a waits for nothing, which is no task"),
        ([new("a", "b"), new("b", "a")], "wait for each other"),
        ([new("a", "a")], "wait for each other"),
    ],
)
def test_what_cannot_be_is_refused(additions: list[NewTask], trouble: str) -> None:
    plan = make_task("plan", TaskState.SUCCEEDED)
    with pytest.raises(InvalidRequest, match=trouble):
        build(make_job(), additions, {plan.id: plan})
