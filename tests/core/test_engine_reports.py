"""What workers report: fencing, failures, losses, drains."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ffrtmp_ray.core.messages import (
    AttemptChanged,
    Level,
    Report,
    Sync,
    TaskContinued,
    TaskFailed,
    TaskReplaced,
    TaskStarted,
    TaskStopped,
    TaskSucceeded,
    TaskSuspended,
    WorkerRemoved,
)
from ffrtmp_ray.core.model import (
    Failure,
    FailureKind,
    JobState,
    NewTask,
    Policy,
    Resources,
    TaskState,
)
from ffrtmp_ray.errors import WorkerNotFound
from tests.core.farm import FINISH, GPU, PLAN, Farm, cpus, encode

CRASH = Failure(FailureKind.CRASHED, "it crashed")


def all_reports(worker_id: str, attempt_id: str) -> list[Report]:
    return [
        TaskStarted(worker_id, attempt_id),
        TaskSuspended(worker_id, attempt_id),
        TaskContinued(worker_id, attempt_id),
        TaskSucceeded(worker_id, attempt_id),
        TaskReplaced(worker_id, attempt_id, "why", (encode(),)),
        TaskFailed(worker_id, attempt_id, CRASH),
        TaskStopped(worker_id, attempt_id),
    ]


# ---------------------------------------------------------------- fencing


@pytest.mark.parametrize("n", range(7))
@pytest.mark.parametrize(
    ("worker_id", "attempt_id"),
    [("w1", "job-plan-1-9"), ("w2", "job-encode-1-1"), ("nobody", "job-encode-1-1")],
)
def test_a_report_of_what_the_worker_does_not_have_is_dropped(
    worker_id: str, attempt_id: str, n: int
) -> None:
    farm = Farm()
    farm.join("w1")
    farm.running(encode())
    farm.join("w2")
    outcome = farm.send(all_reports(worker_id, attempt_id)[n])
    assert outcome.changes == ()
    assert outcome.commands == ()


@pytest.mark.parametrize("n", range(7))
def test_a_report_of_an_ended_attempt_is_dropped(n: int) -> None:
    farm = Farm()
    farm.join("w1")
    farm.running(encode())
    farm.lose("w1")
    assert farm.send(all_reports("w1", "job-encode-1-1")[n]).changes == ()


# ---------------------------------------------------------------- failures


def test_a_failed_task_is_tried_again_later_and_keeps_its_log() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode(), max_attempts=2)
    outcome = farm.fail("job-encode")
    task = farm.task("job-encode")
    assert (task.state, task.failures) == ("delayed", 1)
    assert task.not_before == outcome.wake_at
    assert farm.rows.attempts["job-encode-1-1"].outcome == "crashed"
    assert farm.rows.logs["job-encode-1-1"] == "its log"
    assert farm.job().state == "queued"
    farm.tick(after=1.0)
    assert farm.attempt("job-encode").id == "job-encode-1-2"


def test_a_task_that_has_used_up_its_attempts_fails_its_job() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.submit("job", encode(), encode(name="other"), FINISH, max_attempts=1)
    farm.start("job-encode")
    farm.start("job-other")
    farm.fail("job-encode")
    assert farm.job().state == "failed"
    assert farm.job().failure == Failure(FailureKind.CRASHED, "ffmpeg ended with 1")
    assert farm.task("job-encode").state == "failed"
    assert farm.task("job-other").stop_reason == "replaced"
    assert farm.task("job-finish").state == "canceled"
    assert farm.orders["w1"] == {}
    farm.stopped("job-other")
    assert farm.task("job-other").state == "canceled"


def test_bad_input_fails_at_once() -> None:
    farm = Farm()
    farm.join()
    farm.running(PLAN, max_attempts=5)
    farm.fail("job-plan", FailureKind.BAD_INPUT)
    assert farm.job().state == "failed"


def test_a_lack_of_gpu_sessions_uses_up_no_attempt() -> None:
    farm = Farm()
    farm.join("gpu", device="gpu0", capacity=Resources(cpus=2, gpu_sessions=1))
    farm.running(NewTask("encode", "encode", GPU), max_attempts=1)
    farm.fail("job-encode", FailureKind.OUT_OF_GPU_SESSIONS)
    assert farm.task("job-encode").state == "delayed"
    assert farm.task("job-encode").failures == 0


def test_what_asks_for_impossible_tasks_has_failed() -> None:
    farm = Farm()
    farm.join()
    farm.running(PLAN)
    farm.succeed("job-plan", FINISH)  # it waits for `encode`, which is no task
    assert farm.task("job-plan").state == "delayed"
    failure = farm.task("job-plan").failure
    assert failure is not None
    assert failure.reason == (
        "it asked for tasks that cannot be: job: task finish waits for encode, which is no task"
    )


def test_a_new_plan_without_tasks_is_a_failure_too() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode())
    farm.replace("job-encode")
    assert farm.job().plan == 0
    assert farm.task("job-encode").failures == 1


# ---------------------------------------------------------------- attempts that were to stop


def test_a_success_of_what_was_to_stop_for_a_while_counts() -> None:
    farm = Farm()
    farm.join()
    farm.submit("job", encode(), FINISH)
    farm.pause()  # it had not started: it is stopped
    assert farm.task("job-encode").state == "stopping"
    farm.succeed("job-encode")
    assert farm.task("job-encode").state == "succeeded"
    assert farm.rows.results["job-encode"] == {"of": "job-encode"}
    assert farm.task("job-finish").state == "ready"


def test_a_failure_of_what_was_to_stop_is_no_failure() -> None:
    farm = Farm()
    farm.join()
    farm.submit("job", encode())
    farm.pause()
    farm.fail("job-encode")
    assert farm.task("job-encode").state == "ready"
    assert farm.task("job-encode").failures == 0
    assert farm.rows.attempts["job-encode-1-1"].outcome == "paused"


def test_what_a_worker_stops_unasked_goes_back_and_uses_up_no_attempt() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode(), max_attempts=1)
    farm.stopped("job-encode")
    task = farm.task("job-encode")
    assert (task.state, task.failures, task.workers_lost) == ("delayed", 0, 0)
    farm.tick(after=1.0)
    assert farm.task("job-encode").state == "placed"


# ---------------------------------------------------------------- workers that go


def test_what_was_on_a_lost_worker_goes_to_another_at_once_and_uses_up_no_attempt() -> None:
    farm = Farm()
    farm.join("w1")
    farm.running(encode(), max_attempts=1)
    farm.join("w2")
    outcome = farm.lose("w1")
    assert WorkerRemoved("w1") in outcome.changes
    assert farm.rows.attempts["job-encode-1-1"].outcome == "worker_lost"
    assert outcome.commands == (Sync("w2", {"job-encode-1-2": Level.RUN}),)
    task = farm.task("job-encode")
    assert (task.failures, task.workers_lost) == (0, 1)


def test_a_task_under_which_workers_keep_dying_fails() -> None:
    farm = Farm(Policy(max_workers_lost=2))
    for worker_id in ("w1", "w2"):
        farm.join(worker_id)
    farm.running(encode())
    farm.lose(farm.attempt("job-encode").worker_id)
    farm.lose(farm.attempt("job-encode").worker_id)
    assert farm.job().state == "failed"
    assert farm.failure().kind is FailureKind.WORKER_LOST


def test_two_tasks_of_one_job_may_be_lost_with_one_worker() -> None:
    farm = Farm(Policy(max_workers_lost=1))
    farm.join("w1", 8)
    farm.running(encode(), encode(name="other"))
    farm.lose("w1")
    assert farm.job().state == "failed"
    outcomes = [farm.rows.attempts[f"job-{name}-1-1"].outcome for name in ("encode", "other")]
    assert outcomes == ["worker_lost", "replaced"]
    assert {task.state for task in farm.rows.tasks_of("job")} == {"failed", "canceled"}


def test_what_was_stopping_on_a_lost_worker_has_stopped() -> None:
    farm = Farm()
    farm.join("w1")
    farm.submit("job", encode())
    farm.pause()
    farm.lose("w1")
    assert farm.task("job-encode").state == "ready"
    assert farm.task("job-encode").workers_lost == 0


def test_a_worker_that_was_closed_in_order_is_no_killer() -> None:
    farm = Farm(Policy(max_workers_lost=1))
    farm.join("w1")
    farm.running(encode())
    farm.lose("w1", orderly=True)
    assert farm.rows.attempts["job-encode-1-1"].outcome == "drained"
    assert farm.task("job-encode").state == "ready"


def test_the_loss_of_a_worker_that_nobody_knows_changes_nothing() -> None:
    assert Farm().lose("nobody").changes == ()


def test_a_draining_worker_finishes_what_it_has_and_gets_nothing_new() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.running(encode(), job_id="a")
    farm.drain("w1")
    farm.submit("b", encode())
    assert farm.orders["w1"] == {"a-encode-1-1": Level.RUN}
    assert farm.engine.explain("b-encode") == "the workers that could do it are being drained"
    farm.end_drain("w1")
    assert farm.attempt("b-encode").worker_id == "w1"


def test_a_drain_outlives_what_the_worker_says_of_itself() -> None:
    farm = Farm()
    farm.join("w1")
    farm.drain("w1")
    farm.join("w1", 16)
    assert farm.rows.workers["w1"].draining
    assert farm.rows.workers["w1"].capacity.cpus == 16


def test_only_a_worker_that_is_there_can_be_drained() -> None:
    farm = Farm()
    for request in (farm.drain, farm.end_drain):
        with pytest.raises(WorkerNotFound, match="`ffrtmp workers` lists them"):
            request("nobody")


def test_a_worker_that_has_more_than_it_said_gets_more() -> None:
    farm = Farm()
    farm.join("w1", 2)
    farm.submit("job", encode(4))
    assert farm.task("job-encode").state == "ready"
    farm.join("w1", 4)
    assert farm.task("job-encode").state == "placed"


def test_the_log_comes_with_the_end_of_the_attempt() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode())
    changes = farm.stopped("job-encode").changes
    assert [c.log for c in changes if isinstance(c, AttemptChanged)] == ["its log"]


# ---------------------------------------------------------------- plans in two parts


def test_a_plan_may_ask_for_work_and_for_a_second_plan_that_waits_for_it() -> None:
    farm = Farm()
    farm.join("w1")
    farm.running(PLAN)
    second = replace(PLAN, name="plan-tuned", waits_for=("tune0", "tune1"))
    tunes = (NewTask(name, "tune", cpus(1)) for name in second.waits_for)
    farm.succeed("job-plan", *tunes, second)
    assert farm.task("job-plan-tuned").state is TaskState.WAITING
    for name in second.waits_for:
        farm.start(f"job-{name}")
        assert farm.job().state is JobState.PENDING
        farm.succeed(f"job-{name}")
    farm.start("job-plan-tuned")
    farm.succeed("job-plan-tuned", encode())
    farm.start("job-encode")
    assert farm.job().state is JobState.PROCESSING
    farm.succeed("job-encode")
    assert farm.job().state is JobState.COMPLETED
