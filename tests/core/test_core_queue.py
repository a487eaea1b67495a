from __future__ import annotations

from itertools import product

from ffrtmp_ray.core.model import Priority, Queue, TaskState
from ffrtmp_ray.core.queue import Lane, ReadyQueue, class_rank, turn_of
from tests.core.farm import cpus, make_job, make_task


def test_the_nine_classes_go_by_queue_and_then_by_priority() -> None:
    jobs = [
        make_job(queue=queue, priority=priority) for queue, priority in product(Queue, Priority)
    ]
    assert [class_rank(job) for job in jobs] == list(range(9))


def test_turns_go_by_class_then_submission_then_place_in_the_job() -> None:
    task = make_task()
    late_live = turn_of(task, make_job(order=9, queue=Queue.LIVE), 0)
    early = turn_of(task, make_job(order=1), 0)
    second = turn_of(task, make_job(order=1), 1)
    later = turn_of(task, make_job(order=2), 0)
    batch = turn_of(task, make_job(order=0, queue=Queue.BATCH), 0)
    assert sorted([batch, later, second, early, late_live]) == [
        late_live,
        early,
        second,
        later,
        batch,
    ]


def test_urgent_does_not_change_the_order() -> None:
    task = make_task()
    assert turn_of(task, make_job(urgent=True), 0) == turn_of(task, make_job(urgent=False), 0)


def filled(count: int, *, urgent: frozenset[int] = frozenset()) -> Lane:
    lane = Lane(cpus(1))
    for n in reversed(range(count)):
        task = make_task(f"t{n}")
        lane.push(turn_of(task, make_job(order=n), 0), urgent=n in urgent)
    return lane


def name(turn: object) -> str | None:
    return getattr(turn, "task_id", None)


def test_a_lane_gives_its_tasks_in_their_order() -> None:
    lane = filled(3)
    for n in range(3):
        assert name(lane.head()) == f"job-t{n}"
        lane.discard(f"job-t{n}")
    assert lane.head() is None


def test_a_promised_task_keeps_its_turn_but_asks_for_no_more() -> None:
    lane = filled(2)
    lane.promise("job-t0")
    assert name(lane.head()) == "job-t0"
    assert name(lane.first_open()) == "job-t1"
    lane.unpromise("job-t0", urgent=False)
    assert name(lane.first_open()) == "job-t0"


def test_the_first_urgent_task_is_found_behind_others() -> None:
    lane = filled(5, urgent=frozenset({3, 4}))
    assert name(lane.first_urgent()) == "job-t3"
    lane.promise("job-t3")
    assert name(lane.first_urgent()) == "job-t4"
    lane.discard("job-t4")
    assert lane.first_urgent() is None


def test_a_lane_says_how_many_go_before_a_task_and_looks_at_no_more_than_asked() -> None:
    lane = filled(100)
    assert lane.ahead_of("job-t40", limit=1000) == 40
    assert lane.ahead_of("job-t99", limit=10) <= 10


def test_a_lane_does_not_grow_with_the_tasks_that_have_left_it() -> None:
    lane = filled(1)
    for n in range(1000):
        lane.push(turn_of(make_task("again"), make_job(order=n), 0), urgent=True)
        lane.discard("job-again")
    assert len(lane._heap) < 100
    assert len(lane._urgent) < 100


def test_each_shape_of_needs_has_a_lane_that_goes_with_its_last_task() -> None:
    queue, job = ReadyQueue(), make_job()
    small, large = make_task("s", needs=cpus(1)), make_task("l", needs=cpus(64))
    other = make_task("o", needs=cpus(1))
    for task in (small, large, other):
        queue.push(task, job, 0)
    assert [set(lane.turns) for lane in queue] == [{"job-s", "job-o"}, {"job-l"}]
    queue.discard(large)
    assert len(list(queue)) == 1
    assert queue.lane_of(large) is None
    assert queue.lane_of(small) is queue.lane_of(other)


def test_lanes_are_stirred_once_by_what_comes_into_them() -> None:
    queue, job = ReadyQueue(), make_job()
    task = make_task(state=TaskState.READY)
    queue.push(task, job, 0)
    assert [lane.needs for lane in queue.stirred()] == [task.needs]
    assert queue.stirred() == []
