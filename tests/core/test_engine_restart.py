"""A scheduler that goes on where another has ended."""

from __future__ import annotations

from ffrtmp_ray.core.messages import Discard, Level
from ffrtmp_ray.core.model import OwnerPolicy, Policy, TaskState
from tests.core.farm import FINISH, PLAN, Farm, encode, make_worker


def test_what_runs_is_adopted_as_it_is() -> None:
    farm = Farm()
    farm.join()
    farm.submit("job", encode(), FINISH)
    farm.start("job-encode")
    before = farm.attempt("job-encode")
    farm.restart()
    assert farm.attempt("job-encode") == before
    assert farm.engine.wanted("w1") == {"job-encode-1-1": Level.RUN}
    farm.succeed("job-encode")
    assert farm.attempt("job-finish").id == "job-finish-2-1"


def test_what_waited_is_placed_with_the_first_event() -> None:
    farm = Farm()
    for n in range(3):
        farm.submit(f"job{n}", encode(2))
    farm.rows.workers["w1"] = make_worker("w1", 4)
    farm.restart()
    assert [a.job_id for a in farm.engine.attempts_on("w1")] == ["job0", "job1"]


def test_ids_of_attempts_are_never_used_twice() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode())
    farm.restart()
    farm.stopped("job-encode")
    farm.tick(after=1.0)
    assert farm.attempt("job-encode").id == "job-encode-2-2"


def test_a_delayed_task_and_a_paused_job_keep_their_times() -> None:
    farm = Farm()
    farm.join("w1", 8)
    farm.running(encode(), job_id="delayed")
    farm.running(encode(), job_id="paused")
    farm.pause("paused")
    paused_at = farm.now
    wake_at = farm.fail("delayed-encode").wake_at
    farm.restart()
    assert farm.engine.next_wake == wake_at
    farm.tick(after=1.0)
    assert farm.engine.next_wake == paused_at + 300.0
    assert farm.engine.wanted("w1")["paused-encode-1-1"] is Level.SUSPEND


def test_attempts_of_a_worker_that_is_gone_are_lost_with_it() -> None:
    farm = Farm()
    farm.join("w1")
    farm.running(encode())
    del farm.rows.workers["w1"]
    farm.restart()
    assert farm.task("job-encode").state == "running"
    farm.lose("w1")
    assert farm.task("job-encode").state == "ready"
    assert farm.task("job-encode").workers_lost == 1


def test_attempts_of_a_finished_job_still_hold_their_room() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4))
    farm.cancel()
    farm.restart()
    assert farm.engine.free("w1").cpus == 0
    assert farm.engine.task("job-encode").state is TaskState.STOPPING
    assert Discard("job") in farm.stopped("job-encode").commands
    assert farm.engine.free("w1").cpus == 4


def test_a_job_that_was_retried_while_it_stopped_goes_on_after_a_restart() -> None:
    farm = Farm()
    farm.join()
    farm.running(PLAN)
    farm.cancel()
    farm.retry()
    farm.restart()
    assert farm.job().state == "pending"
    farm.stopped("job-plan")
    assert farm.attempt("job-plan").id == "job-plan-2-2"


def queue_up(farm: Farm, owner: str, count: int) -> None:
    for n in range(count):
        farm.submit(f"{owner}{n}", encode(1), owner=owner)


def turns(farm: Farm, count: int) -> list[str]:
    """The owners of the next encodes of a farm of one CPU, each of which takes ten seconds."""
    owners = []
    for _ in range(count):
        (attempt,) = farm.engine.attempts_on("w1")
        owners.append(farm.job(attempt.job_id).owner)
        farm.start(attempt.task_id)
        farm.now += 10.0
        farm.succeed(attempt.task_id)
    return owners


def test_owners_keep_the_ratio_of_their_weights_however_often_the_scheduler_restarts() -> None:
    farm = Farm(Policy(owners={"ann": OwnerPolicy(weight=3.0)}))
    farm.join(cpus=1)
    queue_up(farm, "ann", 40)
    queue_up(farm, "bob", 40)
    had = []
    for _ in range(20):
        had += turns(farm, 2)
        farm.restart()
    assert had.count("ann") == 30


def test_what_an_owner_has_had_before_a_restart_counts_after_it_but_no_longer_than_that() -> None:
    farm = Farm()
    farm.join(cpus=1)
    farm.running(encode(1), job_id="long", owner="ann")
    queue_up(farm, "bob", 20)
    queue_up(farm, "ann", 20)
    farm.now += 100.0
    farm.succeed("long-encode")
    farm.restart()
    assert turns(farm, 10) == ["bob"] * 10, "until it has had as much"
    assert turns(farm, 10).count("ann") == 5


def test_an_owner_that_comes_after_a_restart_begins_where_the_others_are() -> None:
    farm = Farm()
    farm.join(cpus=1)
    queue_up(farm, "ann", 40)
    turns(farm, 20)
    farm.restart()
    queue_up(farm, "bob", 20)
    assert turns(farm, 10).count("ann") in (4, 5, 6)
