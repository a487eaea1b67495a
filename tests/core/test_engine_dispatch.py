"""Who goes next, where to, and who gives way."""

from __future__ import annotations

from itertools import product

import pytest

from ffrtmp_ray.core.messages import Level
from ffrtmp_ray.core.model import NewTask, Policy, Priority, Queue, Resources
from tests.core.farm import GPU, LIGHT_SLOT, PLAN, PUBLISH, Farm, cpus, encode, needs

# ---------------------------------------------------------------- order


def test_jobs_start_in_the_order_of_their_classes_and_then_of_submission() -> None:
    farm = Farm()
    farm.join("w1", 1)
    farm.drain()
    classes = [*product(Queue, Priority)]
    for queue, priority in [*reversed(classes), *classes]:
        job_id = f"{queue}-{priority}-{len(farm.rows.jobs)}"
        farm.submit(job_id, encode(1), queue=queue, priority=priority)
    farm.end_drain()
    started = []
    while farm.engine.jobs:
        (attempt,) = farm.engine.attempts_on("w1")
        started.append(attempt.job_id)
        farm.succeed(attempt.task_id)
    expected = sorted(
        farm.rows.jobs.values(),
        key=lambda job: (classes.index((job.queue, job.priority)), job.order),
    )
    assert started == [job.id for job in expected]


def test_tasks_of_one_job_go_in_the_order_in_which_they_were_added() -> None:
    farm = Farm()
    names = [f"encode{n}" for n in range(12)]
    farm.submit("job", *(encode(1, name) for name in names))
    farm.join("w1", 3)
    assert [a.task_id for a in farm.engine.attempts_on("w1")] == [f"job-{n}" for n in names[:3]]


def test_a_task_that_no_worker_can_do_holds_up_nobody_and_says_so() -> None:
    farm = Farm()
    farm.join("w1", 4)
    impossible = NewTask("encode", "encode", cpus(4, capabilities={"hevc_nvenc"}))
    outcome = farm.submit("a", impossible, queue="live", priority="high")
    assert outcome.scheduled == {"unmet": 1}
    assert farm.submit("b", encode(4), queue="batch").scheduled == {"placed": 1}
    assert farm.engine.explain("a-encode") == (
        "no worker has what it needs: 4 CPUs with hevc_nvenc"
    )


def test_a_large_task_that_finds_no_room_holds_up_no_smaller_one() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(2), job_id="a")
    assert farm.submit("b", encode(4)).scheduled == {"no_room": 1}
    assert farm.submit("c", encode(2)).scheduled == {"placed": 1}


def test_a_task_prefers_its_first_alternative_and_makes_do_with_the_next() -> None:
    farm = Farm()
    farm.join("gpu", device="gpu0", capacity=Resources(cpus=2, gpu_sessions=1))
    farm.join("cpu", 4)
    either = NewTask("encode", "encode", needs(GPU.alternatives[0].resources, Resources(cpus=4)))
    farm.submit("a", either)
    farm.submit("b", either)
    assert farm.attempt("a-encode").worker_id == "gpu"
    assert farm.attempt("b-encode").worker_id == "cpu"


def test_a_full_farm_still_plans() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4), job_id="a")
    assert farm.submit("b").scheduled == {"placed": 1}
    assert farm.submit("c").scheduled == {"placed": 1}
    assert farm.submit("d").scheduled == {"no_room": 1}
    assert farm.submit("e", NewTask("audio", "audio", needs(LIGHT_SLOT))).scheduled == {"placed": 1}


# ---------------------------------------------------------------- preemption


def test_a_live_task_takes_the_place_of_a_running_one_when_there_is_no_room() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4), job_id="batch", queue="batch")
    outcome = farm.submit("live", encode(4), queue="live")
    assert outcome.scheduled == {"preempted": 1, "no_room": 1}
    assert farm.orders["w1"] == {}
    assert farm.engine.explain("live-encode") == "room is being made for it on w1"

    farm.stopped("batch-encode")
    assert farm.orders["w1"] == {"live-encode-1-1": Level.RUN}
    batch = farm.task("batch-encode")
    assert (batch.state, batch.preemptions, batch.failures) == ("ready", 1, 0)
    assert farm.rows.attempts["batch-encode-1-1"].outcome == "preempted"
    farm.start("live-encode")
    farm.succeed("live-encode")
    assert farm.attempt("batch-encode").number == 2


def test_room_that_is_free_is_taken_before_anybody_gives_way() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4), job_id="batch", queue="batch")
    farm.join("w2", 4)
    assert farm.submit("live", encode(4), queue="live").scheduled == {"placed": 1}


def test_the_freed_room_is_kept_for_the_one_that_it_was_freed_for() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(2), encode(2, "other"), job_id="batch", queue="batch")
    farm.submit("live", encode(4), queue="live")
    farm.stopped("batch-encode")
    farm.submit("quick", encode(2), queue="default", priority="high")
    assert farm.task("quick-encode").state == "ready"
    farm.stopped("batch-other")
    assert farm.orders["w1"] == {"live-encode-1-1": Level.RUN}


def test_each_preemptor_has_others_give_way() -> None:
    farm = Farm()
    farm.join("w1", 8)
    for n in range(2):
        farm.running(encode(4), job_id=f"batch{n}", queue="batch")
    for n in range(2):
        farm.submit(f"live{n}", encode(4), queue="live")
    assert farm.orders["w1"] == {}
    for n in range(2):
        farm.stopped(f"batch{n}-encode")
    assert set(farm.orders["w1"]) == {"live0-encode-1-1", "live1-encode-1-1"}


def test_one_preemption_is_in_flight_per_preemptor() -> None:
    farm = Farm()
    for worker_id in ("w1", "w2"):
        farm.join(worker_id, 4)
        farm.running(encode(4), job_id=f"on-{worker_id}", queue="batch")
    farm.submit("live", encode(4), queue="live")
    farm.tick(after=1.0)
    assert sorted(map(len, farm.orders.values())) == [0, 1]


def test_a_preemptor_takes_room_that_comes_free_sooner() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4), job_id="batch", queue="batch")
    farm.submit("live", encode(4), queue="live")
    farm.join("w2", 4)
    assert farm.attempt("live-encode").worker_id == "w2"
    farm.submit("next", encode(4), queue="default")
    farm.stopped("batch-encode")
    assert farm.attempt("next-encode").worker_id == "w1"


def test_the_lowest_class_gives_way_and_then_the_least_seconds_lost() -> None:
    farm = Farm()
    farm.join("w1", 6)
    farm.running(encode(2), job_id="old", queue="batch")
    farm.tick(after=100.0)
    farm.running(encode(2), job_id="new", queue="batch")
    farm.running(encode(2), job_id="default")
    farm.submit("live", encode(2), queue="live")
    assert farm.task("new-encode").stop_reason == "preempted"
    assert set(farm.orders["w1"]) == {"old-encode-1-1", "default-encode-1-1"}


@pytest.mark.parametrize(
    ("by", "of", "gives_way"),
    [
        ({"queue": "live"}, {"queue": "batch"}, True),
        ({"queue": "live"}, {"urgent": True}, True),
        ({"queue": "live"}, {"queue": "live", "priority": "low"}, False),
        ({"queue": "live"}, {"queue": "batch", "preemptible": False}, False),
        ({"urgent": True}, {"queue": "batch"}, True),
        ({"urgent": True, "queue": "batch"}, {"queue": "default", "priority": "high"}, True),
        ({"urgent": True}, {"queue": "batch", "urgent": True}, False),
        ({"urgent": True}, {"queue": "live"}, False),
        ({"priority": "high"}, {"queue": "batch"}, False),
    ],
)
def test_who_gives_way_to_whom(
    by: dict[str, object], of: dict[str, object], gives_way: bool
) -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4), job_id="of", **of)
    farm.submit("by", encode(4), **by)
    assert (farm.task("of-encode").state == "stopping") is gives_way


@pytest.mark.parametrize("task", [PLAN, PUBLISH])
def test_plans_and_publications_never_give_way(task: NewTask) -> None:
    farm = Farm()
    farm.join("w1", 4, capacity=Resources(plan_slots=1))
    farm.running(task, job_id="of", queue="batch")
    farm.submit("by", PLAN, queue="live")
    assert farm.task(f"of-{task.name}").state == "running"


def test_a_task_preempted_often_enough_gives_way_to_live_ones_only() -> None:
    farm = Farm(Policy(max_preemptions=2))
    farm.join("w1", 4)
    farm.running(encode(4), job_id="batch", queue="batch")
    for n in range(2):
        farm.submit(f"urgent{n}", encode(4), urgent=True)
        farm.stopped("batch-encode")
        farm.succeed(f"urgent{n}-encode")
        farm.start("batch-encode")
    farm.submit("urgent", encode(4), urgent=True)
    assert farm.task("batch-encode").state == "running"
    farm.submit("live", encode(4), queue="live")
    assert farm.task("batch-encode").state == "stopping"


def test_an_urgent_task_is_found_behind_others_of_its_shape() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4), job_id="batch", queue="batch")
    for n in range(5):
        farm.submit(f"plain{n}", encode(4))
    farm.submit("urgent", encode(4), urgent=True)
    farm.stopped("batch-encode")
    assert farm.attempt("urgent-encode").worker_id == "w1"


def test_a_task_that_was_placed_in_the_same_moment_is_not_stopped_but_placed_later() -> None:
    farm = Farm()
    farm.submit("plain", encode(4))
    farm.submit("urgent", encode(4), urgent=True)
    outcome = farm.join("w1", 4)
    assert set(farm.rows.attempts) == {"urgent-encode-1-1"}
    assert outcome.scheduled["placed"] == 1
    assert "preempted" not in outcome.scheduled
    assert farm.task("plain-encode").attempts == 0
    assert farm.task("plain-encode").preemptions == 0


def test_a_stronger_claim_takes_a_weaker_ones_promise() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4), job_id="batch", queue="batch")
    farm.submit("urgent", encode(4), urgent=True)
    farm.submit("live", encode(4), queue="live")
    assert farm.engine.explain("live-encode") == "room is being made for it on w1"
    farm.stopped("batch-encode")
    assert farm.attempt("live-encode").worker_id == "w1"
    assert farm.task("urgent-encode").state == "ready"


def test_a_task_waits_for_what_is_stopping_and_has_nobody_else_give_way() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.running(encode(4), job_id="canceled")
    farm.running(encode(4), job_id="batch", queue="batch")
    farm.cancel("canceled")
    outcome = farm.submit("live", encode(4), queue="live")
    assert "preempted" not in outcome.scheduled
    farm.stopped("canceled-encode")
    assert farm.attempt("live-encode").worker_id == "w1"


# ---------------------------------------------------------------- suspended ones give way first


def test_a_suspended_attempt_keeps_its_place_while_nobody_needs_it() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.running(encode(4), job_id="paused")
    farm.pause("paused")
    farm.submit("a", encode(4))
    assert farm.orders["w1"]["paused-encode-1-1"] is Level.SUSPEND


def test_a_suspended_attempt_gives_way_to_any_task_that_would_find_no_room() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4), job_id="paused", preemptible=False)
    farm.pause("paused")
    farm.suspended("paused-encode")
    farm.submit("low", encode(4), queue="batch", priority="low")
    assert farm.task("paused-encode").stop_reason == "paused"
    assert farm.task("paused-encode").preemptions == 0
    farm.stopped("paused-encode")
    assert farm.attempt("low-encode").worker_id == "w1"
    farm.resume("paused")
    assert farm.engine.explain("paused-encode") == "the one fitting worker is busy"


def test_a_suspended_attempt_goes_before_a_running_one() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.running(encode(4), job_id="paused", priority="high")
    farm.running(encode(4), job_id="batch", queue="batch", priority="low")
    farm.pause("paused")
    farm.submit("live", encode(4), queue="live")
    assert farm.task("paused-encode").state == "stopping"
    assert farm.task("batch-encode").state == "running"


def test_a_promise_ends_with_the_worker_that_it_counts_on() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4), job_id="batch", queue="batch", preemptible=True)
    farm.submit("live", encode(4), queue="live")
    farm.join("w2", 2)
    farm.lose("w1")
    assert farm.task("live-encode").state == "ready"
    farm.join("w3", 4)
    assert farm.attempt("live-encode").worker_id == "w3"


def test_a_promise_ends_with_the_pause_of_the_task_that_has_it() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4), job_id="batch", queue="batch")
    farm.submit("live", encode(4), queue="live")
    farm.pause("live")
    farm.submit("next", encode(4))
    farm.stopped("batch-encode")
    assert farm.attempt("next-encode").worker_id == "w1"


def test_a_promise_is_made_anew_after_a_restart() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4), job_id="batch", queue="batch")
    farm.submit("live", encode(4), queue="live")
    farm.restart()
    assert farm.engine.explain("live-encode") == "room is being made for it on w1"
    farm.stopped("batch-encode")
    assert farm.attempt("live-encode").id == "live-encode-2-1"


def test_a_gpu_takes_as_many_tasks_as_it_has_sessions_and_memory_for() -> None:
    farm = Farm()
    capacity = Resources(cpus=4, gpu_sessions=3, gpu_memory_mib=1000)
    farm.join("gpu", device="gpu0", capacity=capacity)
    small = NewTask(
        "encode", "encode", needs(Resources(cpus=1, gpu_sessions=1, gpu_memory_mib=300))
    )
    large = NewTask(
        "encode", "encode", needs(Resources(cpus=1, gpu_sessions=1, gpu_memory_mib=600))
    )
    for job_id, task in (("a", small), ("b", small), ("c", large), ("d", small), ("e", small)):
        farm.submit(job_id, task)
    assert [each.job_id for each in farm.engine.attempts_on("gpu")] == ["a", "b", "d"]
    farm.succeed("a-encode")
    assert [each.job_id for each in farm.engine.attempts_on("gpu")] == ["b", "d", "e"]
