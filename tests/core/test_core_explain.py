from __future__ import annotations

from ffrtmp_ray.core.explain import describe
from ffrtmp_ray.core.model import NewTask, Resources
from tests.core.farm import FINISH, Farm, cpus, encode, needs


def test_a_waiting_task_names_what_it_waits_for() -> None:
    farm = Farm()
    farm.submit("job", encode(), FINISH)
    assert farm.engine.explain("job-finish") == "waits for other tasks of its job: encode"


def test_of_many_tasks_to_wait_for_some_are_named() -> None:
    farm = Farm()
    names = [f"e{n}" for n in range(5)]
    finish = NewTask("finish", "finish", cpus(1), waits_for=tuple(names))
    farm.submit("job", *(encode(name=name) for name in names), finish)
    assert farm.engine.explain("job-finish") == (
        "waits for other tasks of its job: e0, e1, e2 and 2 more"
    )


def test_a_ready_task_says_how_many_are_ahead_of_it() -> None:
    farm = Farm()
    farm.submit("job0", encode())
    assert farm.engine.explain("job0-encode") == "there is no worker"
    for worker_id in ("w1", "w2"):
        farm.join(worker_id, 4)
    for n in range(1, 5):
        farm.submit(f"job{n}", encode())
    assert farm.engine.explain("job2-encode") == "all 2 fitting workers are busy"
    assert farm.engine.explain("job3-encode") == (
        "all 2 fitting workers are busy, and one task is ahead of it"
    )
    assert farm.engine.explain("job4-encode") == (
        "all 2 fitting workers are busy, and about 2 tasks are ahead of it"
    )


def test_a_delayed_task_says_when_it_is_tried_again_and_why() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode())
    farm.fail("job-encode")
    assert farm.engine.explain("job-encode") == "tried again in 0 s after: ffmpeg ended with 1"


def test_a_stopping_task_says_that_it_stops() -> None:
    farm = Farm()
    farm.join()
    farm.submit("job", encode())
    farm.pause()
    assert farm.engine.explain("job-encode") == "its last attempt is being stopped"


def test_there_is_nothing_to_explain_of_what_runs_or_is_not_known() -> None:
    farm = Farm()
    farm.join()
    farm.running(encode())
    assert farm.engine.explain("job-encode") is None
    assert farm.engine.explain("nothing") is None


def test_needs_are_described_in_words() -> None:
    assert describe(cpus(4, 1, capabilities={"libx264", "aac"})) == (
        "4 CPUs with aac and libx264, or 1 CPU with aac and libx264"
    )
    gpu = needs(Resources(gpu_sessions=1, gpu_memory_mib=300, cpus=2))
    assert describe(gpu) == "1 GPU encoder and 300 MiB of GPU memory and 2 CPUs"
    assert describe(needs(Resources(plan_slots=1), Resources(light_slots=2))) == (
        "1 planning slot, or 2 light slots"
    )
    assert describe(needs(Resources())) == "a place"


def test_a_ready_task_says_when_it_starts_at_the_present_pace() -> None:
    farm = Farm()
    farm.join("w1", 4)
    for n in range(20):
        farm.submit(f"job{n}", encode())
    assert farm.engine.starts_in("job19-encode") is None
    for n in range(15):
        farm.start(f"job{n}-encode")
        farm.tick(10.0)
        farm.succeed(f"job{n}-encode")
    told = farm.engine.explain("job19-encode")
    assert told == (
        "the one fitting worker is busy, and about 3 tasks are ahead of it; "
        "at the present pace it starts in about 37 s"
    )
    seconds = farm.engine.starts_in("job19-encode")
    assert seconds is not None
    assert 30 < seconds < 50
    assert farm.engine.starts_in("job15-encode") is None


def test_a_ready_task_says_that_the_workers_for_it_are_being_drained() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.drain("w1")
    farm.submit("job", encode())
    told = farm.engine.explain("job-encode")
    assert told == "the workers that could do it are being drained"
