"""What waits for room that the farm has not."""

from __future__ import annotations

from ffrtmp_ray.core.model import OwnerPolicy, Policy
from tests.core.farm import Farm, cpus, encode


def test_what_is_on_a_worker_or_waits_for_its_own_job_is_not_unmet() -> None:
    farm = Farm()
    farm.join("w1", 4)
    for number in range(3):
        farm.submit(f"job{number}", encode(4))
    farm.pause("job2")
    assert farm.engine.unmet(farm.now) == (cpus(4),)


def test_what_has_just_become_ready_has_not_waited_yet() -> None:
    farm = Farm()
    farm.submit("job", encode(4))
    assert farm.engine.unmet(farm.now - 5) == ()
    farm.tick(after=5)
    assert farm.engine.unmet(farm.now - 5) == (cpus(4),)


def test_an_owner_asks_for_no_more_than_it_may_have_at_a_time() -> None:
    farm = Farm(Policy(owners={"few": OwnerPolicy(max_running=3)}))
    farm.join("w1", 4)
    for number in range(6):
        farm.submit(f"job{number}", encode(4), owner="few")
    for number in range(2):
        farm.submit(f"more{number}", encode(4), owner="many")
    assert farm.engine.unmet(farm.now) == (cpus(4),) * 4


def test_room_that_has_been_promised_is_not_asked_for_twice() -> None:
    farm = Farm()
    farm.join("w1", 4)
    farm.submit("common", encode(4))
    farm.submit("urgent", encode(4), urgent=True)
    assert farm.engine.explain("urgent-encode") == "room is being made for it on w1"
    assert farm.engine.unmet(farm.now) == ()
