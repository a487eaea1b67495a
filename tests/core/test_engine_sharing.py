"""How many CPUs a task gets: as many as it likes, or a share where others wait with it."""

from __future__ import annotations

import pytest
from msgspec import structs

from ffrtmp_ray.core.model import NewTask, Resources
from tests.core.farm import PLAN, Farm, encode, needs

ONE_TO_FOUR = NewTask("encode", "encode", needs(*(Resources(cpus=n) for n in (4, 2, 1))))


def granted(farm: Farm, *job_ids: str) -> list[int]:
    """The CPUs that the encodes of these jobs have got."""
    return [farm.attempt(f"{job_id}-encode").grant.resources.cpus for job_id in job_ids]


def test_a_task_that_waits_alone_gets_all_the_cpus_that_it_would_like() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.submit("a", ONE_TO_FOUR)
    assert granted(farm, "a") == [4]


def test_tasks_that_wait_together_share_the_cpus_that_come_free() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4), job_id="first")
    for name in "abcde":
        farm.submit(name, ONE_TO_FOUR)
    farm.succeed("first-encode")
    assert granted(farm, *"abcd") == [1, 1, 1, 1]
    assert farm.task("e-encode").state == "ready"


@pytest.mark.parametrize(("tasks", "each"), [(3, 4), (6, 2), (9, 1), (20, 1)])
def test_tasks_that_wait_together_share_the_cpus_of_all_workers(tasks: int, each: int) -> None:
    farm = Farm()
    for name in ("w1", "w2", "w3"):
        farm.join(name, 4)
    farm.running(PLAN)
    encodes = [structs.replace(ONE_TO_FOUR, name=f"encode{n}") for n in range(tasks)]
    farm.succeed("job-plan", *encodes)
    for worker in ("w1", "w2", "w3"):
        attempts = farm.engine.attempts_on(worker)
        assert sum(attempt.grant.resources.cpus for attempt in attempts) in range(3, 5)
    first = farm.attempt("job-encode0")
    assert first.grant.resources.cpus == each


def test_a_live_task_gets_what_it_would_like_whatever_waits_behind_it() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.running(encode(4), job_id="first")
    for name in "abcde":
        farm.submit(name, ONE_TO_FOUR)
    farm.submit("live", ONE_TO_FOUR, queue="live", priority="low")
    farm.succeed("first-encode")
    assert granted(farm, "live") == [4]


def test_many_that_wait_for_gpus_take_those_first_and_then_share_the_cpus() -> None:
    farm = Farm()
    farm.join("gpu", device="gpu0", capacity=Resources(cpus=2, gpu_sessions=1, plan_slots=1))
    farm.join("cpu", 4)
    ways = needs(Resources(gpu_sessions=1), Resources(cpus=4), Resources(cpus=1))
    farm.running(PLAN)
    farm.succeed("job-plan", *(NewTask(name, "encode", ways) for name in ("a", "b", "c")))
    assert farm.attempt("job-a").worker_id == "gpu"
    assert [farm.attempt(f"job-{name}").grant.resources.cpus for name in "bc"] == [1, 1]
