"""Who is next and who waits: fair share, turns, reservations, limits, starts, dependencies."""

from __future__ import annotations

import pytest

from ffrtmp_ray.core.messages import ChangeRequested, JobSubmitted, LabelsChanged, RetryRequested
from ffrtmp_ray.core.model import (
    FailureKind,
    JobState,
    OwnerPolicy,
    Policy,
    Priority,
    Queue,
)
from ffrtmp_ray.errors import Conflict, InvalidRequest, JobNotFound, QueueFull
from tests.core.farm import PLAN, Farm, encode, make_job


def serve(farm: Farm, task_id: str, after: float) -> None:
    """Have a task run for so many seconds."""
    farm.start(task_id)
    farm.tick(after)
    farm.succeed(task_id)


def placed(farm: Farm) -> list[str]:
    return [each.job_id for each in farm.engine.attempts_on("w1")]


def test_two_owners_get_service_by_their_weights() -> None:
    """Within a tenth, though the tasks of one take three times as long."""
    farm = Farm(Policy(owners={"ann": OwnerPolicy(weight=3.0)}, max_wait=1e9))
    farm.join("w1", 4)
    for n in range(150):
        farm.submit(f"ann{n}", encode(1), owner="ann")
        farm.submit(f"bob{n}", encode(1), owner="bob")
    seconds = {"ann": 0.0, "bob": 0.0}
    for _ in range(120):
        attempt = farm.engine.attempts_on("w1")[0]
        owner = farm.job(attempt.job_id).owner
        lasts = 10.0 if owner == "ann" else 30.0
        farm.tick(max(0.0, attempt.placed_at + lasts - farm.now))
        seconds[owner] += farm.now - attempt.placed_at
        farm.start(attempt.task_id)
        farm.succeed(attempt.task_id)
    assert seconds["ann"] / seconds["bob"] == pytest.approx(3.0, rel=0.1)


def test_the_oldest_lowest_task_starts_within_max_wait_and_k_placements() -> None:
    farm = Farm(Policy(max_wait=60.0, turn_every=10))
    farm.join("w1", 4)
    farm.submit("d0", encode(4))
    farm.submit("starving", encode(4), queue="batch", priority="low")
    began = farm.now
    for n in range(1, 100):
        farm.submit(f"d{n}", encode(4))
        (running,) = placed(farm)
        if running == "starving":
            break
        serve(farm, f"{running}-encode", 5.0)
    assert farm.now - began <= 60.0 + 10 * 5.0 + 5.0
    assert placed(farm) == ["starving"]


def test_live_tasks_go_before_any_turn() -> None:
    farm = Farm(Policy(max_wait=10.0, turn_every=1))
    farm.join("w1", 4)
    farm.submit("first", encode(4), preemptible=False)
    farm.submit("old", encode(4), queue="batch")
    farm.tick(60.0)
    farm.submit("live", encode(4), queue="live")
    farm.succeed("first-encode")
    assert placed(farm) == ["live"]


def test_a_large_task_that_was_passed_over_too_long_has_a_worker_kept_free_for_it() -> None:
    farm = Farm(Policy(max_wait=60.0, turn_every=2))
    farm.join("w1", 4)
    for n in range(2):
        farm.submit(f"small{n}", encode(2))
    farm.submit("large", encode(4), queue="batch")
    for n in range(2, 50):
        farm.submit(f"small{n}", encode(2))
        running = placed(farm)
        if running == ["large"]:
            break
        serve(farm, f"{running[0]}-encode", 10.0)
    assert placed(farm) == ["large"]
    assert n < 20


def test_a_worker_is_kept_free_for_a_time_only() -> None:
    farm = Farm(Policy(max_wait=10.0, turn_every=1, reserve_limit=30.0))
    farm.join("w1", 4)
    farm.running(encode(2), job_id="endless")
    farm.submit("small", encode(2))
    farm.submit("large", encode(4))
    farm.tick(20.0)
    farm.submit("small2", encode(2))
    farm.succeed("small-encode")
    assert placed(farm) == ["endless"]
    told = farm.engine.explain("large-encode")
    assert told == "room is being made for it on w1"
    farm.tick(31.0)
    assert placed(farm) == ["endless", "small2"]


def test_an_urgent_task_takes_what_is_kept_free() -> None:
    farm = Farm(Policy(max_wait=10.0, turn_every=1, reserve_limit=30.0))
    farm.join("w1", 4)
    farm.running(encode(2), job_id="endless", preemptible=False)
    farm.submit("small", encode(2))
    farm.submit("large", encode(4))
    farm.tick(20.0)
    farm.succeed("small-encode")
    farm.submit("urgent", encode(2), urgent=True)
    assert placed(farm) == ["endless", "urgent"]


def test_an_owner_has_no_more_tasks_running_than_it_may() -> None:
    farm = Farm(Policy(owners={"ann": OwnerPolicy(max_running=1)}))
    farm.join("w1", 4)
    farm.submit("a1", encode(1), owner="ann")
    farm.submit("a2", encode(1), owner="ann")
    farm.submit("b1", encode(1), owner="bob")
    assert placed(farm) == ["a1", "b1"]
    told = farm.engine.explain("a2-encode")
    assert told == "ann has 1 tasks running, as many as it may"
    farm.succeed("a1-encode")
    assert placed(farm) == ["b1", "a2"]


def test_a_full_queue_refuses_a_job_and_keeps_nothing_of_it() -> None:
    farm = Farm(Policy(max_queued=2))
    farm.submit("a")
    farm.submit("b")
    with pytest.raises(QueueFull, match="2 jobs wait"):
        farm.submit("c")
    assert set(farm.engine.jobs) == {"a", "b"}
    farm.cancel("a")
    farm.submit("c")


def test_so_does_an_owners_part_of_it() -> None:
    farm = Farm(Policy(other_owners=OwnerPolicy(max_queued=1)))
    farm.submit("a", owner="ann")
    farm.submit("b", owner="bob")
    with pytest.raises(QueueFull, match="1 jobs of ann"):
        farm.submit("c", owner="ann")


# ---------------------------------------------------------------- another place in the order


def change(farm: Farm, job_id: str, **fields: object) -> list[object]:
    outcome = farm.send(ChangeRequested(job_id, "ann", **fields))  # type: ignore[arg-type]  # by name
    return list(outcome.changes)


def test_a_waiting_job_may_get_another_place() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.submit("running", encode(4))
    farm.submit("first", encode(4))
    farm.submit("second", encode(4), queue="batch")
    change(farm, "second", queue=Queue.DEFAULT, priority=Priority.HIGH)
    farm.succeed("running-encode")
    assert placed(farm) == ["second"]
    assert farm.job("second").priority is Priority.HIGH


def test_labels_go_to_the_store_alone() -> None:
    farm = Farm()
    farm.submit("job")
    assert change(farm, "job", labels={"show": "news"}) == [LabelsChanged("job", {"show": "news"})]


def test_a_job_moves_into_the_live_queue_only_while_nothing_of_it_is_on_a_worker() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.submit("job", encode(4))
    with pytest.raises(Conflict, match="live queue"):
        change(farm, "job", queue=Queue.LIVE)
    with pytest.raises(JobNotFound):
        change(farm, "other", queue=Queue.BATCH)


# ---------------------------------------------------------------- starts and dependencies


def test_a_job_starts_no_earlier_than_it_asks_for() -> None:
    farm = Farm()
    farm.join("w1", 4)
    outcome = farm.submit("later", encode(4), not_before=farm.now + 60.0)
    assert outcome.wake_at == farm.now + 60.0
    told = farm.engine.explain("later-encode")
    assert told == "starts in 60 s at the earliest, as its job asked"
    farm.restart()
    assert placed(farm) == []
    farm.tick(60.0)
    assert placed(farm) == ["later"]


def test_a_job_starts_when_all_that_it_depends_on_have_completed() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.running(encode(1), job_id="a")
    farm.running(encode(1), job_id="b")
    farm.submit("after", encode(1), depends_on=("a", "b"))
    assert farm.engine.explain("after-encode") == "waits for other jobs: a, b"
    farm.succeed("a-encode")
    farm.restart()
    assert farm.job("after").state is JobState.QUEUED
    farm.succeed("b-encode")
    assert placed(farm) == ["after"]


@pytest.mark.parametrize("how", ["failed", "canceled"])
def test_it_fails_with_what_it_depends_on_and_so_does_what_depends_on_it(how: str) -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.running(encode(1), job_id="a")
    farm.submit("b", encode(1), depends_on=("a",))
    farm.submit("c", encode(1), depends_on=("b",))
    if how == "failed":
        farm.fail("a-encode", FailureKind.BAD_INPUT)
    else:
        farm.cancel("a")
    assert farm.job("c").state is JobState.FAILED
    assert farm.failure("b").kind is FailureKind.DEPENDENCY
    assert farm.failure("c").reason == "job b, which it depends on, has failed"


def depend(farm: Farm, **finished: JobState) -> None:
    job = make_job("after", 99, depends_on=tuple(finished) or ("nowhere",))
    farm.send(JobSubmitted(job, (PLAN,), finished=finished))


def test_finished_jobs_count_by_how_they_ended() -> None:
    farm = Farm()
    with pytest.raises(InvalidRequest, match="no job nowhere"):
        depend(farm)
    with pytest.raises(InvalidRequest, match="other, which it depends on, is failed"):
        depend(farm, other=JobState.FAILED)
    depend(farm, other=JobState.COMPLETED)
    assert farm.job("after").state is JobState.PENDING


def test_a_job_is_retried_after_that_on_which_it_depends() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.running(encode(1), job_id="a")
    farm.submit("b", encode(1), depends_on=("a",))
    farm.fail("a-encode", FailureKind.BAD_INPUT)
    rows = farm.rows
    again = RetryRequested(rows.jobs["b"], rows.tasks_of("b"), "ann", {"a": JobState.FAILED})
    with pytest.raises(Conflict, match="retry that one first"):
        farm.send(again)
    farm.retry("a")
    farm.send(again)
    assert placed(farm) == ["a"]
    farm.succeed("a-encode")
    assert placed(farm) == ["b"]


# ---------------------------------------------------------------- tasks that kill their workers


def test_from_the_second_lost_worker_a_task_gets_one_for_itself() -> None:
    farm = Farm(Policy(max_workers_lost=4))
    for n in range(2):
        farm.join(f"poor{n}", 4)
        if n == 0:
            farm.submit("poison", encode(2))
        farm.start("poison-encode")
        farm.lose(f"poor{n}")
    farm.join("w1", 8)
    farm.submit("other", encode(1))
    assert placed(farm) == ["poison"]
    assert farm.attempt("poison-encode").grant.resources.cpus == 8
    told = farm.engine.explain("other-encode")
    assert told == "the one fitting worker is busy"
    farm.succeed("poison-encode")
    assert placed(farm) == ["other"]
