from __future__ import annotations

import pytest

from ffrtmp_ray.core.model import Attempt, Needs, Requirement, Resources
from ffrtmp_ray.core.placement import Claim, Places, Promise
from ffrtmp_ray.core.rooms import Kinds, asked, fits_any
from ffrtmp_ray.core.vector import NO_ROOM
from tests.core.farm import GPU, PLAN_SLOT, cpus, make_worker, needs

FOUR = Requirement(Resources(cpus=4))
LIBX264 = frozenset({"libx264"})


def attempt(name: str, worker_id: str = "w1", grant: Requirement = FOUR) -> Attempt:
    return Attempt(name, f"task-{name}", "job", 1, worker_id, grant, placed_at=0.0)


def places(**cpus_of: int) -> Places:
    found = Places()
    for worker_id, count in cpus_of.items():
        found.put_worker(make_worker(worker_id, count))
    found.risen()
    return found


def test_the_first_alternative_that_fits_any_worker_is_taken() -> None:
    found = places(w1=2, w2=3)
    assert found.best(asked(cpus(4, 2, 1))) == ("w1", Requirement(Resources(cpus=2)))
    assert found.best(asked(cpus(4))) is None


def test_the_worker_with_the_least_room_is_taken_so_that_large_tasks_find_some() -> None:
    found = places(w1=16, w2=4, w3=8)
    assert found.best(asked(cpus(3))) == ("w2", Requirement(Resources(cpus=3)))


def test_what_is_on_a_worker_is_no_room() -> None:
    found = places(w1=8)
    found.hold(attempt("a"), Claim.NEVER)
    assert found.best(asked(cpus(5))) is None
    found.release(attempt("a"))
    assert found.best(asked(cpus(5))) is not None


def test_slots_are_room_of_their_own() -> None:
    found = places(w1=4)
    found.hold(attempt("a"), Claim.NEVER)
    assert found.best(asked(needs(PLAN_SLOT))) is not None
    for name in ("p", "q"):
        found.hold(attempt(name, grant=Requirement(PLAN_SLOT)), Claim.NEVER)
    assert found.best(asked(needs(PLAN_SLOT))) is None


def test_a_worker_must_have_all_capabilities() -> None:
    found = places(w1=4)
    assert found.best(asked(cpus(1, capabilities=LIBX264))) is None
    found.put_worker(make_worker("w2", capabilities=LIBX264 | {"libx265"}))
    assert found.best(asked(cpus(1, capabilities=LIBX264))) is not None


def test_what_asks_for_no_gpu_leaves_gpu_workers_alone() -> None:
    found = Places()
    found.put_worker(make_worker("gpu", capacity=Resources(cpus=8, gpu_sessions=1)))
    assert found.best(asked(cpus(1))) is None
    assert found.best(asked(GPU)) == ("gpu", Requirement(Resources(gpu_sessions=1)))
    found.put_worker(make_worker("cpu", 1))
    assert found.best(asked(cpus(1))) == ("cpu", Requirement(Resources(cpus=1)))


def test_a_draining_worker_takes_nothing_and_counts_as_unable() -> None:
    found = places(w1=4)
    found.put_worker(make_worker("w1", draining=True))
    assert found.best(asked(cpus(1))) is None
    assert found.count_able(asked(cpus(1))) == 0
    found.put_worker(make_worker("w1"))
    assert found.count_able(asked(cpus(1))) == 1


def test_a_busy_worker_counts_as_able() -> None:
    found = places(w1=4, w2=2)
    found.hold(attempt("a"), Claim.NEVER)
    assert found.count_able(asked(cpus(4))) == 1
    assert found.count_able(asked(cpus(4, 1))) == 2


@pytest.mark.parametrize("yields_to", [Claim.IDLE, Claim.URGENT, Claim.LIVE, Claim.NEVER])
def test_each_claim_finds_what_gives_way_to_it(yields_to: Claim) -> None:
    found = places(w1=4)
    found.hold(attempt("a"), yields_to)
    for claim in (Claim.NOW, Claim.IDLE, Claim.URGENT, Claim.LIVE):
        candidates = list(found.candidates(claim, FOUR))
        assert candidates == (["w1"] if claim >= yields_to else [])


def test_promised_room_is_free_but_found_by_nobody_weaker() -> None:
    found = places(w1=4)
    found.promise("w1", "task", Promise(FOUR, Claim.LIVE))
    assert found.free("w1") == make_worker("w1").capacity
    assert found.best(asked(cpus(1))) is None
    assert list(found.candidates(Claim.URGENT, FOUR)) == []
    assert list(found.candidates(Claim.LIVE, FOUR)) == ["w1"]
    found.unpromise("w1", "task")
    assert found.best(asked(cpus(1))) is not None


def test_a_promise_of_cpus_that_are_not_free_yet_leaves_slots_to_others() -> None:
    found = places(w1=4)
    found.hold(attempt("a"), Claim.IDLE)
    found.promise("w1", "task", Promise(FOUR, Claim.NEVER))
    assert found["w1"].left[Claim.NOW] < NO_ROOM
    assert found.best(asked(needs(PLAN_SLOT))) is not None


def test_a_worker_has_risen_for_the_claims_that_find_more_there() -> None:
    found = places(w1=8, w2=8)
    found.hold(attempt("a"), Claim.NEVER)
    assert found.risen() == {}
    found.hold(attempt("a"), Claim.LIVE)
    assert found.risen() == {"w1": [Claim.LIVE]}
    found.release(attempt("a"))
    assert found.risen() == {"w1": [Claim.NOW, Claim.IDLE, Claim.URGENT]}
    found.put_worker(make_worker("w2", 8, capabilities=LIBX264))
    assert list(found.risen()) == ["w2"]


def test_what_changes_and_changes_back_makes_no_worker_rise() -> None:
    found = places(w1=4)
    found.hold(attempt("a"), Claim.NEVER)
    found.risen()
    found.release(attempt("a"))
    found.hold(attempt("b"), Claim.NEVER)
    assert found.risen() == {}


def test_what_leaves_a_worker_with_promises_frees_it_though_no_claim_finds_more() -> None:
    found = places(w1=4)
    found.hold(attempt("a"), Claim.IDLE)
    found.promise("w1", "task", Promise(FOUR, Claim.NEVER))
    found.risen()
    found.release(attempt("a"))
    assert list(found.freed()) == ["w1"]
    assert not found.freed()


def test_what_is_to_be_alone_gets_all_of_a_worker_that_has_nothing_else() -> None:
    alone = Needs((Requirement(Resources(cpus=2), alone=True),))
    found = places(w1=8, w2=4)
    found.hold(attempt("a", "w2", Requirement(Resources(cpus=1))), Claim.NEVER)
    best = found.best(asked(alone))
    assert best is not None
    worker_id, grant = best
    assert worker_id == "w1"
    assert grant.resources == make_worker("w1", 8).capacity
    found.hold(attempt("b", "w1", Requirement(Resources(light_slots=1))), Claim.NEVER)
    assert found.best(asked(alone)) is None


def test_attempts_of_a_lost_worker_are_known_until_they_are_ended() -> None:
    found = places(w1=4)
    found.hold(attempt("a"), Claim.NEVER)
    found.remove_worker("w1")
    assert list(found["w1"].attempts) == ["a"]
    assert found.free("w1") == Resources()
    found.release(attempt("a"))
    assert found.get("w1") is None


def test_workers_with_the_same_room_are_looked_up_as_one() -> None:
    found = Places()
    for n in range(500):
        found.put_worker(make_worker(f"w{n}", 4))
    assert found.count_able(asked(cpus(4))) == 500
    index = found._rooms[Claim.NOW]
    four = asked(cpus(4))[0]
    assert len(list(index._fitting(*four))) == 1
    assert index.count(*four) == 500


def test_needs_fit_a_worker_when_one_alternative_does() -> None:
    kind = Kinds().of(make_worker(capabilities=LIBX264))
    assert fits_any(asked(cpus(8, 2, capabilities=LIBX264)), kind, kind.empty)
    assert not fits_any(asked(cpus(2, capabilities={"av1"})), kind, kind.empty)
    assert not fits_any(asked(GPU), kind, kind.empty)
