"""How many machines the farm asks for, and which may go."""

from __future__ import annotations

from ffrtmp_ray.cluster.machines import Machines, Plan, demand
from ffrtmp_ray.cluster.slots import Node
from ffrtmp_ray.core.model import Needs, Requirement, Resources, Worker

ENCODE = Needs(tuple(Requirement(Resources(cpus=cpus)) for cpus in (4, 2, 1)))
PLAN = Needs((Requirement(Resources(plan_slots=1)),))
ON_GPU = Needs((Requirement(Resources(cpus=1, gpu_sessions=3)),))
A, B = Node("a", "host", 8, 0), Node("b", "host", 8, 0)
GPU = Node("g", "host", 4, 1)
IDLE = 60.0


def worker(node: Node, device: str = "cpu", *, draining: bool = False) -> Worker:
    return Worker(f"{node.id}-{device}", node.id, "host", device, Resources(), draining=draining)


def machines() -> Machines:
    return Machines(idle_seconds=IDLE, gpu_sessions=8)


def test_what_waits_is_asked_for_in_the_parts_that_it_could_make_do_with() -> None:
    assert demand([ENCODE, ENCODE], gpu_sessions=8) == ({"CPU": 1},) * 8
    two = Needs(tuple(Requirement(Resources(cpus=cpus)) for cpus in (3, 2)))
    assert demand([two], gpu_sessions=8) == ({"CPU": 2},) * 2


def test_several_encodes_share_a_gpu() -> None:
    assert demand([ON_GPU] * 2, gpu_sessions=8) == ({"GPU": 1},)
    assert demand([ON_GPU] * 3, gpu_sessions=8) == ({"GPU": 1},) * 2


def test_a_plan_asks_for_a_machine_only_where_nothing_else_does() -> None:
    assert demand([PLAN] * 5, gpu_sessions=8) == ({"CPU": 1},)
    assert demand([PLAN, ON_GPU], gpu_sessions=8) == ({"GPU": 1},)


def test_there_is_a_bound_to_what_is_asked_for() -> None:
    assert len(demand([ENCODE] * 10_000, gpu_sessions=8)) == 1000


def test_what_waits_must_fit_beside_what_is_in_use() -> None:
    workers = [worker(A), worker(B), worker(GPU), worker(GPU, "gpu0")]
    plan = machines().look([A, B, GPU], workers, {"a-cpu", "g-cpu"}, [ON_GPU], now=0)
    assert plan.bundles == ({"CPU": 8}, {"CPU": 2}, {"CPU": 2, "GPU": 1}, {"GPU": 1})


def test_room_of_a_machine_that_is_drained_is_not_counted_on() -> None:
    plan = machines().look([A], [worker(A, draining=True)], set(), [ENCODE], now=0)
    assert plan.bundles == ({"CPU": 8}, *({"CPU": 1},) * 4)


def test_nothing_is_asked_for_when_nothing_waits() -> None:
    assert machines().look([A], [worker(A)], {"a-cpu"}, [], now=0) == Plan()


def test_a_machine_that_has_been_idle_rests_until_something_waits() -> None:
    farm = machines()
    both = [worker(A), worker(B)]
    assert farm.look([A, B], both, {"a-cpu", "b-cpu"}, [], now=0).resting == set()
    assert farm.look([A, B], both, {"a-cpu"}, [], now=10).resting == set()
    assert farm.look([A, B], both, {"a-cpu"}, [], now=10 + IDLE).resting == {"b"}
    assert farm.look([A, B], both[:1], {"a-cpu"}, [], now=80).resting == {"b"}
    woken = farm.look([A, B], both[:1], {"a-cpu"}, [ENCODE], now=81)
    assert woken.resting == set()
    assert farm.look([A, B], both, {"a-cpu"}, [], now=82).resting == set(), "it is idle anew"


def test_a_machine_of_which_one_worker_is_busy_does_not_rest() -> None:
    farm, workers = machines(), [worker(A), worker(GPU), worker(GPU, "gpu0")]
    farm.look([A, GPU], workers, {"g-gpu0"}, [], now=0)
    assert farm.look([A, GPU], workers, {"g-gpu0"}, [], now=IDLE).resting == {"a"}


def test_one_machine_stays_a_cheap_one_and_always_the_same() -> None:
    farm, workers = machines(), [worker(A), worker(B), worker(GPU)]
    farm.look([GPU, B, A], workers, set(), [], now=0)
    assert farm.look([GPU, B, A], workers, set(), [], now=IDLE).resting == {"b", "g"}
    assert farm.look([GPU, B, A], workers[:1], set(), [], now=IDLE + 1).resting == {"b", "g"}


def test_only_gpus_are_woken_for_what_waits_for_gpus() -> None:
    farm, workers = machines(), [worker(A), worker(B), worker(GPU)]
    farm.look([A, B, GPU], workers, {"a-cpu"}, [], now=0)
    assert farm.look([A, B, GPU], workers, {"a-cpu"}, [ON_GPU], now=IDLE).resting == {"b"}


def test_a_machine_that_somebody_drains_is_left_to_him() -> None:
    farm, workers = machines(), [worker(A), worker(B, draining=True)]
    farm.look([A, B], workers, {"a-cpu"}, [], now=0)
    assert farm.look([A, B], workers, {"a-cpu"}, [], now=IDLE).resting == set()


def test_a_head_without_cpus_is_no_machine_of_the_farm() -> None:
    head, farm = Node("head", "host", 0, 0), machines()
    farm.look([head, A], [worker(A)], set(), [], now=0)
    assert farm.look([head, A], [worker(A)], set(), [], now=IDLE).resting == set()
