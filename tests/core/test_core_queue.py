from __future__ import annotations

from itertools import product

from ffrtmp_ray.core.accounts import Accounts
from ffrtmp_ray.core.lane import Lane, class_rank, turn_of
from ffrtmp_ray.core.model import (
    Needs,
    OwnerPolicy,
    Policy,
    Priority,
    Queue,
    Resources,
    Task,
)
from ffrtmp_ray.core.queue import ReadyQueue
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


NOW = 100.0
ALL = -1
"""Every bit: all lanes."""
ONE_CPU = cpus(1)


def make_queue(**owners: OwnerPolicy) -> ReadyQueue:
    return ReadyQueue(Accounts(Policy(owners=owners)))


def push(
    ready: ReadyQueue,
    /,
    name: str,
    order: int = 1,
    needs: Needs = ONE_CPU,
    ready_at: float | None = None,
    **job: object,
) -> Task:
    task = make_task(name, needs=needs, ready_at=ready_at)
    ready.push(task, make_job(order=order, **job), 0, NOW)
    return task


def filled(count: int, *, urgent: frozenset[int] = frozenset()) -> tuple[ReadyQueue, list[Task]]:
    queue = make_queue()
    tasks = [push(queue, f"t{n}", n, urgent=n in urgent) for n in reversed(range(count))]
    return queue, tasks[::-1]


def lane_of(queue: ReadyQueue, task: Task) -> Lane:
    lane = queue.lane_of(task)
    assert lane is not None
    return lane


def first(queue: ReadyQueue, lanes: int = ALL) -> str | None:
    found = queue.first(lanes, NOW)
    return None if found is None else found[1].task_id


def test_a_lane_gives_its_tasks_in_their_order() -> None:
    queue, tasks = filled(3)
    for task in tasks:
        assert first(queue) == task.id
        queue.discard(task)
    assert first(queue) is None


def test_tasks_that_leave_out_of_their_turn_are_passed_over() -> None:
    queue, tasks = filled(60)
    for task in (*tasks[1:20], *tasks[21:40], tasks[0]):
        queue.discard(task)
    assert first(queue) == "job-t20"
    queue.discard(tasks[20])
    assert first(queue) == "job-t40"


def test_tasks_that_come_back_take_their_old_turn() -> None:
    queue, tasks = filled(60)
    for task in tasks[:40]:
        queue.discard(task)
    for order in (39, 50, 7):
        queue.push(make_task(f"again{order}"), make_job(order=order), 1, NOW)
    served = []
    while (found := queue.first(ALL, NOW)) is not None:
        served.append(found[1].order)
        queue.discard(make_task(found[1].task_id.removeprefix("job-")))
    assert served == [7, 39, *range(40, 51), *range(50, 60)]


def test_a_promised_task_keeps_its_turn_but_asks_for_no_more() -> None:
    queue, (task, other) = filled(2)
    lane = lane_of(queue, task)
    assert queue.promise(task)
    assert first(queue) == task.id
    assert queue.first_open(lane, NOW) == other.id
    queue.unpromise(task, make_job(order=0), 0, NOW)
    assert queue.first_open(lane, NOW) == task.id


def test_of_promised_tasks_too_the_first_goes_first_and_only_in_the_lanes_asked() -> None:
    queue = make_queue()
    late, early = push(queue, "late", 2), push(queue, "early", 1)
    large = push(queue, "large", 0, needs=cpus(9))
    for task in (late, large, early):
        assert queue.promise(task)
    assert first(queue, lane_of(queue, early).bit) == early.id
    queue.discard(early)
    assert first(queue, lane_of(queue, late).bit) == late.id
    assert first(queue) == large.id
    assert not queue.promise(early)


def test_a_task_that_was_promised_room_behind_others_leaves_once() -> None:
    queue, (before, task) = filled(2)
    assert queue.promise(task)
    queue.unpromise(task, make_job(order=1), 0, NOW)
    queue.discard(before)
    assert first(queue) == task.id
    queue.discard(task)
    assert first(queue) is None


def test_the_first_urgent_task_is_found_behind_others() -> None:
    queue, tasks = filled(5, urgent=frozenset({3, 4}))
    lane = lane_of(queue, tasks[0])
    assert lane.first_urgent() == "job-t3"
    queue.promise(tasks[3])
    assert lane.first_urgent() == "job-t4"
    queue.discard(tasks[4])
    assert lane.first_urgent() is None


def test_the_owner_who_has_had_least_for_its_weight_is_next() -> None:
    queue = make_queue(ann=OwnerPolicy(weight=3.0))
    tasks = {}
    for n in range(40):
        for owner, order in (("ann", n), ("bob", 100 + n)):
            task = push(queue, f"{owner}{n}", order, owner=owner)
            tasks[task.id] = task, owner
    served = []
    for _ in range(40):
        task, owner = tasks[first(queue) or ""]
        served.append(owner)
        queue.discard(task)
        queue.accounts.start(owner, task.id, Resources(cpus=1), NOW)
    assert served.count("ann") == 30


def test_what_an_owner_has_had_counts_in_every_lane() -> None:
    queue = make_queue()
    small = {owner: push(queue, owner, owner=owner) for owner in ("ann", "bob")}
    large = {owner: push(queue, f"{owner}9", needs=cpus(9), owner=owner) for owner in small}
    queue.accounts.start("ann", "running", Resources(cpus=64), NOW)
    for tasks in (small, large):
        assert first(queue, lane_of(queue, tasks["ann"]).bit) == tasks["bob"].id


def test_an_owner_without_a_task_in_the_lanes_asked_is_passed_over() -> None:
    queue = make_queue()
    push(queue, "large", 1, needs=cpus(9), owner="ann")
    small = push(queue, "small", 2, owner="bob")
    assert first(queue) == "job-large"
    assert first(queue, lane_of(queue, small).bit) == "job-small"
    queue.discard(small)
    assert first(queue, 0) is None
    assert first(queue) == "job-large"


def test_between_equal_owners_the_older_task_is_next() -> None:
    queue = make_queue()
    push(queue, "late", 3, owner="ann")
    push(queue, "early", 2, owner="bob")
    assert first(queue) == "job-early"
    push(queue, "earliest", 1, owner="ann")
    assert first(queue) == "job-earliest"


def test_class_goes_before_what_an_owner_has_had() -> None:
    queue = make_queue()
    queue.accounts.start("ann", "before", Resources(cpus=64), NOW)
    push(queue, "low", 1, owner="bob", priority=Priority.LOW)
    push(queue, "high", 2, owner="ann", priority=Priority.HIGH)
    assert first(queue) == "job-high"


def test_an_owner_with_all_that_it_may_have_is_passed_over_until_it_has_less() -> None:
    queue = make_queue(ann=OwnerPolicy(max_running=1))
    push(queue, "a", 1, owner="ann")
    other = push(queue, "b", 2, owner="bob")
    queue.accounts.start("ann", "running", Resources(cpus=1), NOW)
    assert first(queue) == "job-b"
    queue.discard(other)
    assert first(queue) is None
    queue.accounts.of("ann").end("running", NOW)
    queue.resume("ann", NOW)
    assert first(queue) == "job-a"


def test_the_longest_waiting_is_found_whatever_its_class() -> None:
    queue = make_queue()
    push(queue, "new", ready_at=90.0)
    old = push(queue, "old", ready_at=10.0, queue="batch")
    push(queue, "live", ready_at=1.0, queue="live")
    oldest = lane_of(queue, old).oldest()
    assert oldest is not None
    assert oldest.task_id == "job-old"


def test_the_queue_says_how_many_go_before_a_task_and_looks_at_no_more_than_asked() -> None:
    queue, tasks = filled(100)
    push(queue, "high", 999, priority="high")
    assert queue.ahead_of(tasks[40], limit=1000) == 41
    assert queue.ahead_of(tasks[99], limit=10) <= 11


def test_of_other_owners_as_many_are_ahead_as_come_by_their_weights() -> None:
    queue = make_queue(ann=OwnerPolicy(weight=2.0))
    for n in range(100):
        push(queue, f"a{n}", n, owner="ann")
    tasks = [push(queue, f"b{n}", n, owner="bob") for n in range(100)]
    assert queue.ahead_of(tasks[9], limit=1000) == 9 + 20


def test_of_a_promised_task_only_better_classes_are_ahead() -> None:
    queue, (task,) = filled(1)
    queue.promise(task)
    push(queue, "high", 999, priority="high")
    assert queue.ahead_of(task, limit=1000) == 1


def test_the_queue_does_not_grow_with_the_tasks_that_have_left_it() -> None:
    queue, (task,) = filled(1)
    for n in range(1000):
        queue.discard(push(queue, "again", n + 1, urgent=True))
    lane = lane_of(queue, task)
    assert len(queue._classes[4].shares["ann"].lines[lane].turns) < 100
    assert len(lane._urgent) < 100
    assert len(lane._ages) < 100


def test_owners_who_wait_for_nothing_leave_nothing_behind() -> None:
    queue = make_queue()
    for n in range(50):
        queue.discard(push(queue, f"t{n}", owner=f"owner{n}"))
    known = queue._classes[4]
    assert not known.shares
    assert not known._order


def test_each_shape_of_needs_has_a_lane_that_goes_with_its_last_task() -> None:
    queue = make_queue()
    small, large, other = push(queue, "s"), push(queue, "l", needs=cpus(64)), push(queue, "o")
    assert [set(lane.turns) for lane in queue] == [{"job-s", "job-o"}, {"job-l"}]
    queue.discard(large)
    assert len(list(queue)) == 1
    assert queue.lane_of(large) is None
    assert queue.lane_of(small) is queue.lane_of(other)


def test_of_very_many_shapes_the_empty_lanes_make_room_for_new_ones() -> None:
    queue = make_queue()
    stays = push(queue, "stays")
    for n in range(2, 600):
        queue.discard(push(queue, f"t{n}", needs=cpus(n)))
    assert lane_of(queue, stays).bit == 1
    assert max(lane.bit for lane in queue._lanes.values()) < 1 << 300
    assert first(queue) == stays.id


def test_lanes_are_stirred_once_by_what_comes_into_them() -> None:
    queue = make_queue()
    task = push(queue, "t")
    assert queue.stirred() == lane_of(queue, task).bit
    assert not queue.stirred()


def test_an_owner_who_may_have_more_stirs_the_lanes_of_its_tasks() -> None:
    queue = make_queue(ann=OwnerPolicy(max_running=1))
    task, _ = push(queue, "t", owner="ann"), push(queue, "u", needs=cpus(9), owner="bob")
    queue.stirred()
    queue.resume("ann", NOW)
    assert queue.stirred() == lane_of(queue, task).bit


def test_tasks_that_left_while_their_owner_had_all_it_may_do_not_come_back() -> None:
    queue = make_queue(ann=OwnerPolicy(max_running=1))
    left = push(queue, "left", 1, owner="ann")
    queue.accounts.start("ann", "running", Resources(cpus=1), NOW)
    assert first(queue) is None
    queue.discard(left)
    queue.accounts.of("ann").end("running", NOW)
    push(queue, "new", 2, owner="ann")
    assert first(queue) == "job-new"
