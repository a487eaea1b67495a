"""Whole stories of jobs, event by event."""

from __future__ import annotations

from ffrtmp_ray.core.messages import (
    AttemptAdded,
    Discard,
    JobAdded,
    JobTransitioned,
    Level,
    Sync,
    TaskAdded,
    TaskStarted,
    WorkerAdded,
)
from ffrtmp_ray.core.model import FailureKind, NewTask, Requirement, Resources
from tests.core.farm import FINISH, LIGHT_SLOT, PUBLISH, Farm, cpus, encode, needs

AUDIO = NewTask("audio", "audio", needs(LIGHT_SLOT), payload={"codec": "aac"})
FINISH_BOTH = NewTask("finish", "finish", needs(LIGHT_SLOT), waits_for=("encode", "audio"))


def test_a_job_from_submission_to_its_published_output() -> None:
    farm = Farm()
    assert farm.join("w1", 4).changes == (WorkerAdded(farm.rows.workers["w1"]),)

    submitted = farm.submit("job", queue="default")
    kinds = [type(change) for change in submitted.changes]
    assert kinds == [JobAdded, JobTransitioned, TaskAdded, AttemptAdded]
    assert submitted.commands == (Sync("w1", {"job-plan-1-1": Level.RUN}),)
    assert farm.job().state == "pending"

    farm.start("job-plan")
    assert farm.job().started_at == farm.now
    planned = farm.succeed("job-plan", encode(), AUDIO, FINISH_BOTH)
    assert planned.scheduled == {"placed": 2}
    assert farm.orders["w1"] == {"job-encode-1-1": Level.RUN, "job-audio-1-1": Level.RUN}
    assert farm.attempt("job-encode").grant == Requirement(Resources(cpus=4))
    assert farm.job().state == "assigned"

    farm.start("job-audio")
    assert farm.job().state == "processing"
    farm.succeed("job-audio")
    assert farm.job().state == "assigned"
    farm.start("job-encode")
    assert farm.engine.explain("job-finish") == "waits for other tasks of its job: encode"
    farm.succeed("job-encode")
    assert farm.task("job-finish").state == "placed"

    farm.start("job-finish")
    farm.succeed("job-finish", PUBLISH)
    farm.start("job-publish")
    done = farm.succeed("job-publish")
    assert done.commands == (Sync("w1", {}),)
    assert farm.job().state == "completed"
    assert farm.job().finished_at == farm.now
    assert farm.engine.job("job") is None
    assert farm.engine.tasks_of("job") == ()
    assert farm.rows.results["job-encode"] == {"of": "job-encode"}
    assert all(attempt.outcome == "succeeded" for attempt in farm.rows.attempts.values())
    assert farm.engine.free("w1") == farm.rows.workers["w1"].capacity


def test_every_change_of_state_is_one_row_that_says_who_and_why() -> None:
    farm = Farm()
    farm.join()
    farm.submit("job", encode(), owner="ann")
    farm.start("job-encode")
    farm.pause()
    farm.resume()
    farm.cancel()
    assert [(t.source, t.target, t.reason, t.who) for t in farm.rows.transitions] == [
        (None, "assigned", "it was submitted", "ann"),
        ("assigned", "processing", "encode has started", "w1"),
        ("processing", "paused", "it was paused", "ann"),
        ("paused", "processing", "it was resumed", "ann"),
        ("processing", "canceled", "it was canceled", "ann"),
    ]


def test_a_job_that_is_planned_anew_starts_over_with_other_tasks() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.submit("job", encode(), encode(name="other"), FINISH)
    farm.start("job-encode")
    farm.start("job-other")
    farm.replace("job-encode", encode(8), FINISH)

    assert farm.job().plan == 1
    assert farm.attempt("job-other").outcome is None
    assert farm.task("job-encode").state == "canceled"
    assert farm.task("job-other").stop_reason == "replaced"
    assert farm.task("job-finish").state == "canceled"
    assert farm.task("job-encode-p1").state == "ready"
    assert farm.orders["w1"] == {}

    farm.succeed("job-other")  # too late: it only frees its place
    assert farm.task("job-other").state == "canceled"
    assert "job-other" not in farm.rows.results
    farm.start("job-encode-p1")
    farm.succeed("job-encode-p1")
    farm.start("job-finish-p1")
    assert farm.succeed("job-finish-p1").commands == (Sync("w1", {}),)
    assert farm.job().state == "completed"


def test_the_unfinished_files_of_a_canceled_job_go_when_its_last_attempt_has_stopped() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.running(encode(), encode(name="other"))
    canceled = farm.cancel()
    assert farm.job().state == "canceled"
    assert canceled.commands == (Sync("w1", {}),)
    assert Discard("job") not in farm.stopped("job-encode").commands
    assert Discard("job") in farm.stopped("job-other").commands
    assert farm.task("job-encode").state == "canceled"
    assert {a.outcome for a in farm.rows.attempts.values()} == {"canceled"}


def test_a_job_that_has_nothing_on_workers_is_discarded_at_once() -> None:
    farm = Farm()
    farm.submit()
    assert farm.cancel().commands == (Discard("job"),)


def test_a_start_that_is_heard_twice_changes_nothing() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode())
    again = farm.send(TaskStarted("w1", "job-encode-1-1"), after=5.0)
    assert again.changes == ()
    assert again.commands == ()


def test_jobs_are_counted_by_where_they_stand() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(), job_id="a")
    farm.submit("b", encode())
    farm.submit("c", encode(), queue="batch", priority="low")
    assert farm.engine.active_jobs == 1
    assert farm.engine.queue_lengths() == {("default", "medium"): 1, ("batch", "low"): 1}
    farm.succeed("a-encode")
    assert farm.engine.active_jobs == 1
    assert farm.engine.queue_lengths() == {("batch", "low"): 1}
    assert set(farm.engine.jobs) == {"b", "c"}


def test_needs_are_met_by_the_first_alternative_for_which_there_is_room() -> None:
    farm = Farm()
    farm.join("w1", 7)
    for job_id in "abc":
        farm.submit(job_id, NewTask("encode", "encode", cpus(4, 2, 1)))
    grants = [farm.attempt(f"{job_id}-encode").grant.resources.cpus for job_id in "abc"]
    assert grants == [4, 2, 1]


def test_nothing_is_kept_of_finished_jobs() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.submit("a", encode(), encode(name="other"), FINISH, timeout_seconds=60.0)
    farm.submit("b", encode(), FINISH, queue="live")
    farm.cancel("a")
    farm.stopped("a-encode")
    farm.stopped("a-other")
    farm.fail("b-encode", FailureKind.BAD_INPUT)
    farm.lose("w1")
    containers = {
        name: kept
        for name in dir(farm.engine._state)
        if not name.startswith("__")
        and isinstance(kept := getattr(farm.engine._state, name), dict | set)
    }
    assert farm.engine.queue_lengths() == {}
    assert list(farm.engine._state.queue) == []
    assert [name for name, kept in containers.items() if kept] == []
