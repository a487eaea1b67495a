"""A worker's steps from what it has to what is wanted of it."""

from ffrtmp_ray.cluster.protocol import Order
from ffrtmp_ray.cluster.reconcile import Steps, is_news, reconcile
from ffrtmp_ray.core.messages import Level
from ffrtmp_ray.media.assignment import Assignment


def assignment(attempt_id: str) -> Assignment:
    return Assignment(attempt_id, "task", "job", "encode", {})


def order(*wanted: str, suspended: tuple[str, ...] = (), given: tuple[str, ...] = ()) -> Order:
    levels = dict.fromkeys(wanted, Level.RUN) | dict.fromkeys(suspended, Level.SUSPEND)
    return Order(1, 1, levels, {attempt_id: assignment(attempt_id) for attempt_id in given})


def test_what_is_wanted_and_not_there_is_started() -> None:
    assert reconcile(order("a", given=("a",)), {}, ()) == Steps(start=(assignment("a"),))


def test_what_is_there_and_not_wanted_is_stopped() -> None:
    assert reconcile(order(), {"a": Level.RUN}, ()) == Steps(stop=("a",))


def test_what_runs_and_is_wanted_is_left_alone_although_it_is_given_again() -> None:
    assert reconcile(order("a", given=("a",)), {"a": Level.RUN}, ()) == Steps()


def test_what_has_ended_is_never_started_again() -> None:
    assert reconcile(order("a", given=("a",)), {}, {"a"}) == Steps()


def test_what_is_given_but_not_wanted_is_not_started() -> None:
    assert reconcile(order(given=("a",)), {}, ()) == Steps()


def test_levels_are_followed_both_ways() -> None:
    held = {"a": Level.RUN, "b": Level.SUSPEND}
    assert reconcile(order("b", suspended=("a",)), held, ()) == Steps(suspend=("a",), resume=("b",))


def test_the_same_order_twice_changes_nothing_the_second_time() -> None:
    wanted = order("a", suspended=("b",), given=("a", "b"))
    assert reconcile(wanted, {"a": Level.RUN, "b": Level.SUSPEND}, ()) == Steps()


def test_only_a_higher_epoch_or_revision_is_news() -> None:
    assert is_news(Order(2, 1, {}), epoch=1, revision=9)
    assert is_news(Order(1, 2, {}), epoch=1, revision=1)
    assert not is_news(Order(1, 2, {}), epoch=1, revision=2)
    assert not is_news(Order(1, 9, {}), epoch=2, revision=1)
