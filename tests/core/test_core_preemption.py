from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from ffrtmp_ray.core.model import Resources
from ffrtmp_ray.core.preemption import MOST_WORKERS, Holder, Standing, cheapest, some, victims

NONE = Resources()


def holder(
    key: str,
    cpus: int = 1,
    standing: Standing = Standing.RUNNING,
    rank: int = 4,
    seconds: float = 0.0,
) -> Holder:
    return Holder(key, Resources(cpus=cpus), standing, rank, seconds)


def keys(going: tuple[Holder, ...] | None) -> list[str] | None:
    return None if going is None else [each.key for each in going]


def test_suspended_ones_go_first_whatever_they_are_worth() -> None:
    several = [holder("batch", rank=8), holder("idle", 1, Standing.SUSPENDED, 3, 900.0)]
    assert keys(victims(NONE, Resources(cpus=1), several)) == ["idle"]


def test_the_lowest_class_goes_next_and_then_the_least_seconds_lost() -> None:
    several = [
        holder("default", rank=4, seconds=0.0),
        holder("batch-old", rank=7, seconds=90.0),
        holder("batch-new", rank=7, seconds=10.0),
    ]
    assert keys(victims(NONE, Resources(cpus=1), several)) == ["batch-new"]
    assert keys(victims(NONE, Resources(cpus=2), several)) == ["batch-new", "batch-old"]


def test_none_goes_when_there_is_room_and_all_stay_when_they_are_too_few() -> None:
    several = [holder("a", 2), holder("b", 2)]
    assert keys(victims(Resources(cpus=4), Resources(cpus=4), several)) == []
    assert victims(NONE, Resources(cpus=5), several) is None


def test_none_goes_needlessly() -> None:
    several = [holder("small", 1, seconds=1.0), holder("large", 4, seconds=2.0)]
    assert keys(victims(NONE, Resources(cpus=4), several)) == ["large"]


def test_one_that_has_nothing_of_what_is_lacking_stays() -> None:
    light = Holder("audio", Resources(light_slots=1), Standing.RUNNING, 8, 0.0)
    assert keys(victims(NONE, Resources(cpus=1), [light, holder("a")])) == ["a"]


def test_the_worker_is_chosen_where_the_worst_loss_is_smallest() -> None:
    plans = [
        ("default", (holder("a", rank=4, seconds=1.0),)),
        ("impossible", None),
        ("batch-two", (holder("b", rank=7, seconds=30.0), holder("c", rank=7, seconds=30.0))),
        ("batch-one", (holder("d", rank=7, seconds=50.0),)),
        ("idle", (holder("e", 1, Standing.SUSPENDED, 0, 500.0),)),
    ]
    order = []
    while found := cheapest(plans):
        order.append(found[0])
        plans = [plan for plan in plans if plan[0] != found[0]]
    assert order == ["idle", "batch-one", "batch-two", "default"]


def test_a_bounded_number_of_workers_is_compared() -> None:
    assert len(some(str(n) for n in range(10_000))) == MOST_WORKERS


@given(
    room=st.integers(0, 4),
    wanted=st.integers(1, 12),
    sizes=st.lists(st.integers(1, 4), max_size=6),
)
def test_victims_are_found_whenever_there_are_some_and_each_is_needed(
    room: int, wanted: int, sizes: list[int]
) -> None:
    several = [holder(str(n), size, seconds=float(n)) for n, size in enumerate(sizes)]
    going = victims(Resources(cpus=room), Resources(cpus=wanted), several)
    if going is None:
        assert room + sum(sizes) < wanted
        return
    freed = [each.resources.cpus for each in going]
    assert room + sum(freed) >= wanted
    for fewer in combinations(freed, max(0, len(freed) - 1)):
        assert not freed or room + sum(fewer) < wanted
