from __future__ import annotations

from itertools import product

import pytest

from ffrtmp_ray.core.lifecycle import (
    JOB_TABLE,
    TASK_TABLE,
    advance_task,
    check,
    job_state,
)
from ffrtmp_ray.core.model import Failure, FailureKind, JobState, StopReason, TaskState
from ffrtmp_ray.errors import IllegalTransition
from tests.core.farm import make_job, make_task

JOB_ROWS = {
    "pending": "queued assigned processing paused completed failed canceled",
    "queued": "assigned processing pending paused completed failed canceled",
    "assigned": "processing queued pending paused completed failed canceled",
    "processing": "assigned queued pending paused completed failed canceled",
    "paused": "pending queued assigned processing completed failed canceled",
    "failed": "pending queued",
    "canceled": "pending queued",
    "completed": "",
}
TASK_ROWS = {
    "waiting": "ready canceled",
    "ready": "placed canceled",
    "delayed": "ready canceled",
    "placed": "running stopping ready delayed succeeded failed canceled",
    "running": "suspended stopping ready delayed succeeded failed canceled",
    "suspended": "running stopping ready delayed succeeded failed canceled",
    "stopping": "ready succeeded canceled",
    "succeeded": "",
    "failed": "ready waiting",
    "canceled": "ready waiting",
}


@pytest.mark.parametrize(("source", "target"), [*product(JobState, JobState)])
def test_jobs_change_state_as_the_table_says_and_not_otherwise(
    source: JobState, target: JobState
) -> None:
    assert JOB_TABLE.keys() == set(JobState)
    if target in JOB_ROWS[source].split():
        check("job", source, target)
    else:
        with pytest.raises(IllegalTransition):
            check("job", source, target)


@pytest.mark.parametrize(("source", "target"), [*product(TaskState, TaskState)])
def test_tasks_change_state_as_the_table_says_and_not_otherwise(
    source: TaskState, target: TaskState
) -> None:
    assert TASK_TABLE.keys() == set(TaskState)
    task = make_task(state=source)
    if target in TASK_ROWS[source].split():
        assert advance_task(task, target, failures=2) == make_task(state=target, failures=2)
    else:
        with pytest.raises(IllegalTransition):
            advance_task(task, target)


def test_an_illegal_change_tells_what_led_to_it() -> None:
    with pytest.raises(IllegalTransition) as raised:
        check("job-plan", TaskState.SUCCEEDED, TaskState.READY, ["placed", "succeeded"])
    assert str(raised.value) == (
        "job-plan: succeeded -> ready is no legal change; what led to it: placed; succeeded"
    )


CRASH = Failure(FailureKind.CRASHED, "it crashed")
PLAN_DONE = make_task("plan", TaskState.SUCCEEDED)


@pytest.mark.parametrize(
    ("state", "held", "states"),
    [
        ("queued", False, ["ready", "waiting"]),
        ("queued", False, ["delayed"]),
        ("queued", False, ["stopping"]),
        ("assigned", False, ["placed", "ready"]),
        ("assigned", False, ["suspended"]),
        ("processing", False, ["placed", "running", "suspended"]),
        ("paused", True, ["running"]),
        ("completed", False, ["succeeded"]),
        ("completed", True, ["succeeded"]),
        ("canceled", False, ["succeeded", "canceled"]),
        ("canceled", True, ["canceled"]),
        ("failed", False, ["failed", "canceled", "running"]),
        ("failed", True, ["failed"]),
    ],
)
def test_a_planned_jobs_state_follows_from_its_tasks(
    state: str, held: bool, states: list[str]
) -> None:
    tasks = [make_task(f"encode{n}", TaskState(each)) for n, each in enumerate(states)]
    assert job_state(make_job(held=held), [PLAN_DONE, *tasks]) == state


@pytest.mark.parametrize("state", [each for each in TaskState if not each.terminal])
def test_a_job_is_pending_until_its_plan_has_succeeded(state: TaskState) -> None:
    assert job_state(make_job(), [make_task("plan", state)]) is JobState.PENDING


def test_the_users_pause_goes_before_what_the_tasks_do() -> None:
    assert job_state(make_job(held=True), [make_task("plan", TaskState.RUNNING)]) == "paused"


def test_a_failure_of_the_job_itself_needs_no_failed_task() -> None:
    job = make_job(failure=Failure(FailureKind.TIMED_OUT, "too long"))
    assert job_state(job, [make_task(state=TaskState.RUNNING)]) == "failed"


def test_tasks_of_an_older_plan_do_not_count() -> None:
    old = make_task("encode", TaskState.CANCELED, plan=0)
    new = make_task("encode-p1", TaskState.RUNNING, plan=1)
    assert job_state(make_job(plan=1), [PLAN_DONE, old, new]) == "processing"


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (StopReason.CANCELED, "canceled"),
        (StopReason.PAUSED, "queued"),
        (StopReason.PREEMPTED, "queued"),
        (StopReason.DRAINED, "queued"),
        (StopReason.RETRIED, "queued"),
    ],
)
def test_a_job_is_canceled_at_once_though_its_attempts_still_stop(
    reason: StopReason, state: str
) -> None:
    stopping = make_task(state=TaskState.STOPPING, stop_reason=reason)
    assert job_state(make_job(), [PLAN_DONE, stopping]) == state
