from __future__ import annotations

from itertools import product

from ffrtmp_ray.core.accounts import Accounts
from ffrtmp_ray.core.lane import Lane, class_rank, turn_of
from ffrtmp_ray.core.model import OwnerPolicy, Policy, Priority, Queue, Resources, TaskState
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


def filled(count: int, *, urgent: frozenset[int] = frozenset()) -> Lane:
    lane = Lane(cpus(1), Accounts(Policy()))
    for n in reversed(range(count)):
        task = make_task(f"t{n}")
        lane.push(turn_of(task, make_job(order=n), 0), NOW, urgent=n in urgent)
    return lane


def head(lane: Lane, now: float = NOW) -> str | None:
    found = lane.head(now)
    return None if found is None else found.task_id


def test_a_lane_gives_its_tasks_in_their_order() -> None:
    lane = filled(3)
    for n in range(3):
        assert head(lane) == f"job-t{n}"
        lane.discard(f"job-t{n}")
    assert head(lane) is None


def test_a_promised_task_keeps_its_turn_but_asks_for_no_more() -> None:
    lane = filled(2)
    lane.promise("job-t0")
    assert head(lane) == "job-t0"
    assert lane.first_open(NOW) == "job-t1"
    lane.unpromise("job-t0", NOW, urgent=False)
    assert lane.first_open(NOW) == "job-t0"


def test_the_first_urgent_task_is_found_behind_others() -> None:
    lane = filled(5, urgent=frozenset({3, 4}))
    assert lane.first_urgent() == "job-t3"
    lane.promise("job-t3")
    assert lane.first_urgent() == "job-t4"
    lane.discard("job-t4")
    assert lane.first_urgent() is None


def owned(lane: Lane, name: str, owner: str, order: int, **fields: object) -> None:
    job = make_job(owner=owner, order=order, **fields)
    lane.push(turn_of(make_task(name), job, 0), NOW, urgent=False)


def test_the_owner_who_has_had_least_for_its_weight_is_next() -> None:
    accounts = Accounts(Policy(owners={"ann": OwnerPolicy(weight=3.0)}))
    lane = Lane(cpus(1), accounts)
    for n in range(40):
        owned(lane, f"a{n}", "ann", n)
        owned(lane, f"b{n}", "bob", 100 + n)
    served = []
    for _ in range(40):
        task_id = head(lane)
        assert task_id is not None
        served.append(task_id[4])
        lane.discard(task_id)
        owner = "ann" if served[-1] == "a" else "bob"
        accounts.start(owner, task_id, Resources(cpus=1), NOW)
    assert served.count("a") == 30


def test_class_goes_before_what_an_owner_has_had() -> None:
    lane = filled(0)
    lane.accounts.start("ann", "before", Resources(cpus=64), NOW)
    owned(lane, "low", "bob", 1, priority=Priority.LOW)
    owned(lane, "high", "ann", 2, priority=Priority.HIGH)
    assert head(lane) == "job-high"


def test_an_owner_with_all_that_it_may_have_is_passed_over_until_it_has_less() -> None:
    accounts = Accounts(Policy(owners={"ann": OwnerPolicy(max_running=1)}))
    lane = Lane(cpus(1), accounts)
    owned(lane, "a", "ann", 1)
    owned(lane, "b", "bob", 2)
    accounts.start("ann", "running", Resources(cpus=1), NOW)
    assert head(lane) == "job-b"
    lane.discard("job-b")
    assert head(lane) is None
    accounts.of("ann").end("running", NOW)
    lane.resume("ann", NOW)
    assert head(lane) == "job-a"


def test_the_longest_waiting_is_found_whatever_its_class() -> None:
    lane = filled(0)
    for name, at, queue in (
        ("new", 90.0, "default"),
        ("old", 10.0, "batch"),
        ("live", 1.0, "live"),
    ):
        job = make_job(queue=queue)
        lane.push(turn_of(make_task(name, ready_at=at), job, 0), NOW, urgent=False)
    oldest = lane.oldest()
    assert oldest is not None
    assert oldest.task_id == "job-old"


def test_a_lane_says_how_many_go_before_a_task_and_looks_at_no_more_than_asked() -> None:
    lane = filled(100)
    assert lane.ahead_of("job-t40", limit=1000) == 40
    assert lane.ahead_of("job-t99", limit=10) <= 10


def test_of_other_owners_as_many_are_ahead_as_come_by_their_weights() -> None:
    lane = Lane(cpus(1), Accounts(Policy(owners={"ann": OwnerPolicy(weight=2.0)})))
    for n in range(100):
        owned(lane, f"a{n}", "ann", n)
        owned(lane, f"b{n}", "bob", n)
    assert lane.ahead_of("job-b9", limit=1000) == 9 + 20


def test_a_lane_does_not_grow_with_the_tasks_that_have_left_it() -> None:
    lane = filled(1)
    for n in range(1000):
        lane.push(turn_of(make_task("again"), make_job(order=n + 1), 0), NOW, urgent=True)
        lane.discard("job-again")
    assert len(lane._classes[4].lines["ann"].heap) < 100
    assert len(lane._urgent) < 100
    assert len(lane._ages) < 100


def test_each_shape_of_needs_has_a_lane_that_goes_with_its_last_task() -> None:
    queue, job = ReadyQueue(Accounts(Policy())), make_job()
    small, large = make_task("s", needs=cpus(1)), make_task("l", needs=cpus(64))
    other = make_task("o", needs=cpus(1))
    for task in (small, large, other):
        queue.push(task, job, 0, NOW)
    assert [set(lane.turns) for lane in queue] == [{"job-s", "job-o"}, {"job-l"}]
    queue.discard(large)
    assert len(list(queue)) == 1
    assert queue.lane_of(large) is None
    assert queue.lane_of(small) is queue.lane_of(other)


def test_lanes_are_stirred_once_by_what_comes_into_them() -> None:
    queue, job = ReadyQueue(Accounts(Policy())), make_job()
    task = make_task(state=TaskState.READY)
    queue.push(task, job, 0, NOW)
    assert [lane.needs for lane in queue.stirred()] == [task.needs]
    assert not queue.stirred()


def test_a_line_whose_tasks_left_while_its_owner_had_all_it_may_is_found_again() -> None:
    accounts = Accounts(Policy(owners={"ann": OwnerPolicy(max_running=1)}))
    lane = Lane(cpus(1), accounts)
    owned(lane, "left", "ann", 1)
    accounts.start("ann", "running", Resources(cpus=1), NOW)
    assert head(lane) is None
    lane.discard("job-left")
    accounts.of("ann").end("running", NOW)
    owned(lane, "new", "ann", 2)
    assert head(lane) == "job-new"


def test_a_line_that_is_cleaned_away_between_two_looks_has_no_head() -> None:
    lane = filled(66)
    owned(lane, "last", "bob", 100, queue="batch")
    assert head(lane) == "job-t0"
    for n in range(66):  # with the last of them, the lane's heaps are cleaned
        lane.discard(f"job-t{n}")
    assert head(lane) == "job-last"
