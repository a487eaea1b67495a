"""What callers ask of jobs: pause, resume, cancel, retry, and what is refused."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ffrtmp_ray.core.messages import Discard, JobSubmitted, Level, RetryRequested, Sync
from ffrtmp_ray.core.model import FailureKind, Policy, Resources
from ffrtmp_ray.errors import Conflict, InvalidRequest, JobNotFound
from tests.core.farm import FINISH, PLAN, PUBLISH, Farm, encode, make_job

# ---------------------------------------------------------------- submission


def test_an_id_is_given_to_one_job_only() -> None:
    farm = Farm()
    farm.submit("job")
    with pytest.raises(Conflict):
        farm.submit("job")
    assert farm.job().order == 1


def test_a_job_has_tasks_that_can_be() -> None:
    farm = Farm()
    for tasks in ((), (PLAN, PLAN), (FINISH,)):
        with pytest.raises(InvalidRequest):
            farm.send(JobSubmitted(make_job(), tasks))
    assert farm.engine.jobs == {}


# ---------------------------------------------------------------- pause and resume


def test_pause_suspends_what_runs_and_holds_the_rest() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.submit("job", encode(), encode(name="next"), encode(name="last"), FINISH)
    farm.start("job-encode")
    farm.pause()

    assert farm.job().state == "paused"
    assert farm.orders["w1"] == {"job-encode-1-1": Level.SUSPEND}
    assert farm.task("job-encode").state == "running"
    farm.suspended("job-encode")
    assert farm.task("job-encode").state == "suspended"

    # What had not started is stopped, and is ready again; nothing of the job is placed.
    farm.stopped("job-next")
    assert farm.task("job-next").state == "ready"
    assert farm.engine.explain("job-next") == "held: the job is paused"
    assert farm.engine.explain("job-last") == "held: the job is paused"
    assert farm.engine.free("w1").cpus == 4


def test_resume_goes_on_where_it_was() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.submit("job", encode(), encode(name="last"))
    farm.start("job-encode")
    farm.pause()
    farm.suspended("job-encode")
    farm.stopped("job-last")
    farm.resume()
    assert farm.job().state == "assigned"
    assert farm.orders["w1"] == {"job-encode-1-1": Level.RUN, "job-last-1-2": Level.RUN}
    farm.continued("job-encode")
    assert farm.job().state == "processing"
    assert farm.task("job-encode").failures == 0


def test_pausing_twice_and_resuming_what_is_not_paused_change_nothing() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode())
    assert farm.resume().changes == ()
    farm.pause()
    assert farm.pause().changes == ()
    farm.resume()
    assert farm.resume().changes == ()


def test_a_live_job_is_stopped_by_a_pause_and_starts_anew_after_it() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode(), queue="live")
    farm.pause()
    assert farm.orders["w1"] == {}
    assert farm.task("job-encode").stop_reason == "paused"
    farm.stopped("job-encode")
    assert farm.task("job-encode").state == "ready"
    farm.resume()
    assert farm.attempt("job-encode").number == 2


def test_reports_that_cross_a_resumption_do_not_undo_it() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode())
    farm.pause()
    farm.resume()
    farm.suspended("job-encode")
    assert farm.task("job-encode").state == "running"
    farm.pause()
    farm.suspended("job-encode")
    farm.continued("job-encode")
    assert farm.task("job-encode").state == "suspended"


def test_a_suspended_attempt_gives_up_its_place_after_the_suspend_limit() -> None:
    farm = Farm(Policy(suspend_limit=300.0))
    farm.join()
    farm.running(encode())
    assert farm.pause().wake_at == farm.now + 300.0
    farm.suspended("job-encode")
    assert farm.tick(after=299.0).commands == ()
    assert farm.tick(after=1.0).commands == (Sync("w1", {}),)
    farm.stopped("job-encode")
    assert farm.task("job-encode").failures == 0
    assert farm.job().state == "paused"
    assert farm.engine.next_wake is None


def test_a_task_that_succeeds_though_it_was_to_be_suspended_has_succeeded() -> None:
    farm = Farm()
    farm.join()
    farm.submit("job", encode(), FINISH)
    farm.start("job-encode")
    farm.pause()
    farm.succeed("job-encode")
    assert farm.task("job-encode").state == "succeeded"
    assert farm.task("job-finish").state == "ready"
    assert farm.job().state == "paused"


def test_a_paused_job_completes_when_its_last_task_was_already_ending() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode())
    farm.pause()
    farm.succeed("job-encode", PUBLISH)
    assert farm.orders["w1"] == {"job-publish-1-1": Level.RUN}
    farm.start("job-publish")
    farm.succeed("job-publish")
    assert farm.rows.history("job")[-2:] == ["paused", "completed"]


# ---------------------------------------------------------------- while it is published


def test_a_job_that_is_being_published_is_neither_paused_nor_canceled() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode())
    farm.succeed("job-encode", PUBLISH)
    for request in (farm.pause, farm.cancel):
        with pytest.raises(Conflict, match="being published"):
            request()
    assert farm.orders["w1"] == {"job-publish-1-1": Level.RUN}


def test_the_timeout_of_a_job_does_not_end_its_publication() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode(), timeout_seconds=60.0)
    assert farm.succeed("job-encode", PUBLISH).wake_at is None
    farm.tick(after=1000.0)
    farm.succeed("job-publish")
    assert farm.job().state == "completed"


def test_publishing_is_repeated_until_it_ends() -> None:
    farm = Farm()
    farm.join("w1")
    farm.running(PUBLISH)
    farm.lose("w1")
    farm.join("w2")
    assert farm.attempt("job-publish").worker_id == "w2"


# ---------------------------------------------------------------- timeouts of jobs


def test_a_job_whose_time_is_up_fails_at_once_and_its_attempts_stop() -> None:
    farm = Farm()
    farm.join()
    farm.submit("job", encode(), FINISH, timeout_seconds=60.0)
    farm.tick(after=100.0)  # time before the first start does not count
    assert farm.start("job-encode").wake_at == farm.now + 60.0
    farm.tick(after=60.0)
    assert farm.job().state == "failed"
    assert farm.failure().kind is FailureKind.TIMED_OUT
    assert farm.orders["w1"] == {}
    assert Discard("job") in farm.stopped("job-encode").commands
    assert farm.rows.attempts["job-encode-1-1"].outcome == "timed_out"
    assert farm.task("job-finish").state == "canceled"


def test_time_in_pause_does_not_count() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode(), timeout_seconds=60.0)
    farm.tick(after=50.0)
    farm.pause()
    farm.tick(after=500.0)
    farm.restart()
    assert farm.job().state == "paused"
    farm.resume()
    assert farm.engine.next_wake == farm.now + 10.0
    farm.tick(after=9.0)
    assert not farm.job().state.terminal
    farm.tick(after=1.0)
    assert farm.job().state == "failed"


# ---------------------------------------------------------------- cancel


def test_nothing_of_a_canceled_job_is_placed_and_late_results_are_dropped() -> None:
    farm = Farm()
    farm.join()
    farm.submit("a", encode(), encode(name="last"))
    farm.start("a-encode")
    farm.cancel("a")
    assert farm.task("a-last").state == "canceled"
    assert farm.engine.free("w1") == Resources(plan_slots=2, light_slots=2)
    farm.succeed("a-encode", FINISH)
    assert farm.task("a-encode").state == "canceled"
    assert farm.rows.results == {}
    assert set(farm.rows.tasks) == {"a-encode", "a-last"}
    assert farm.engine.free("w1").cpus == 4


def test_a_finished_job_is_not_known_to_the_engine() -> None:
    farm = Farm()
    farm.submit()
    farm.cancel()
    for request in (farm.pause, farm.resume, farm.cancel):
        with pytest.raises(JobNotFound):
            request()


# ---------------------------------------------------------------- retry


def failed_farm() -> Farm:
    farm = Farm()
    farm.join("w1", 8)
    finish = replace(FINISH, waits_for=("encode", "other"))
    farm.submit("job", encode(), encode(name="other"), finish)
    farm.start("job-encode")
    farm.start("job-other")
    farm.succeed("job-encode")
    farm.fail("job-other", FailureKind.BAD_INPUT)
    assert farm.job().state == "failed"
    return farm


def test_a_retry_keeps_what_has_succeeded_and_resets_the_rest() -> None:
    farm = failed_farm()
    farm.retry()
    assert farm.task("job-encode").state == "succeeded"
    other = farm.task("job-other")
    assert (other.state, other.failures, other.failure) == ("placed", 0, None)
    assert farm.task("job-finish").state == "waiting"
    assert farm.job().failure is None
    assert farm.job().finished_at is None
    assert farm.job().started_at is None
    assert farm.attempt("job-other").id == "job-other-1-2"
    farm.start("job-other")
    farm.succeed("job-other")
    farm.start("job-finish")
    farm.succeed("job-finish")
    assert farm.job().state == "completed"


def test_a_retry_writes_a_row_of_its_own_before_what_follows_from_it() -> None:
    farm = failed_farm()
    farm.retry()
    assert [(t.source, t.target, t.who) for t in farm.rows.transitions[-2:]] == [
        ("failed", "queued", "ann"),
        ("queued", "assigned", "scheduler"),
    ]


def test_a_retry_of_a_job_whose_plan_failed_is_pending_again() -> None:
    farm = Farm()
    farm.join()
    farm.running(PLAN)
    farm.fail("job-plan", FailureKind.BAD_INPUT)
    farm.retry()
    assert farm.job().state == "pending"
    assert farm.attempt("job-plan").id == "job-plan-1-2"


def test_only_failed_and_canceled_jobs_are_retried() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode())
    with pytest.raises(Conflict, match="the job is processing"):
        farm.retry()
    farm.succeed("job-encode")
    with pytest.raises(Conflict, match="the job is completed"):
        farm.retry()


def test_a_retry_waits_for_the_old_attempt_to_stop() -> None:
    farm = Farm()
    farm.join("w1")
    farm.join("w2")
    farm.running(encode())
    farm.cancel()
    farm.retry()
    assert farm.job().state == "queued"
    assert farm.task("job-encode").state == "stopping"
    assert len(farm.rows.attempts) == 1
    assert Discard("job") not in farm.stopped("job-encode").commands
    assert farm.rows.attempts["job-encode-1-1"].outcome == "retried"
    assert farm.attempt("job-encode").id == "job-encode-1-2"


def test_a_retry_whose_rows_were_read_before_the_old_attempt_stopped_is_carried_out() -> None:
    farm = Farm()
    farm.join()
    farm.submit("job", encode(), FINISH)
    farm.start("job-encode")
    farm.cancel()
    job, tasks = farm.rows.jobs["job"], farm.rows.tasks_of("job")
    farm.stopped("job-encode")
    farm.send(RetryRequested(job, tasks, "ann"))
    assert farm.attempt("job-encode").id == "job-encode-1-2"
    farm.start("job-encode")
    farm.succeed("job-encode")
    assert farm.task("job-finish").state == "placed"


def test_rows_of_an_older_plan_are_taken_as_they_are_now() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.running(encode(), encode(name="old"))
    farm.replace("job-encode", encode(name="new"))
    farm.cancel()
    job, tasks = farm.rows.jobs["job"], farm.rows.tasks_of("job")
    farm.stopped("job-old")
    farm.send(RetryRequested(job, tasks, "ann"))
    assert farm.engine.task("job-old").state == "canceled"
    assert farm.task("job-new-p1").state == "stopping"


def test_a_job_that_was_canceled_in_pause_is_retried_unpaused() -> None:
    farm = Farm()
    farm.join()
    farm.submit()
    farm.pause()
    farm.cancel()
    farm.retry()
    assert farm.job().held is False
    assert farm.job().state == "pending"
