"""Which workers a cluster should have."""

import pytest
from pydantic import ValidationError

from ffrtmp_ray.cluster.slots import Node, Slot, missing, slots_of, stranded
from ffrtmp_ray.core.model import Resources, Worker
from ffrtmp_ray.core.vector import MOST
from ffrtmp_ray.settings import Settings


def worker(node_id: str, device: str) -> Worker:
    return Worker(f"w-{node_id}-{device}", node_id, "host", device, Resources())


def test_a_node_without_gpus_gets_one_worker_for_all_its_cpus() -> None:
    assert slots_of(Node("n", "host", 8, 0)) == [Slot("n", "host", "cpu", 8, 0)]


def test_each_gpu_gets_a_worker_and_all_of_them_half_of_the_nodes_cpus_at_most() -> None:
    assert slots_of(Node("n", "host", 8, 2)) == [
        Slot("n", "host", "cpu", 4, 0),
        Slot("n", "host", "gpu0", 2, 1),
        Slot("n", "host", "gpu1", 2, 1),
    ]
    assert [slot.cpus for slot in slots_of(Node("n", "host", 2, 1))] == [1, 1]
    assert [slot.cpus for slot in slots_of(Node("n", "host", 64, 1))] == [60, 4]


def test_a_gpu_worker_has_sessions_and_memory_to_give() -> None:
    settings = Settings(gpu_sessions=3, gpu_memory_mib=16_000, plan_slots=2, light_slots=1)
    assert Slot("n", "host", "gpu0", 2, 1).capacity(settings) == Resources(2, 3, 16_000, 2, 1)
    assert Slot("n", "host", "cpu", 6, 0).capacity(settings) == Resources(6, 0, 0, 2, 1)


@pytest.mark.parametrize("name", ["plan_slots", "light_slots", "gpu_sessions", "gpu_memory_mib"])
def test_no_worker_can_be_set_to_have_more_than_the_engine_counts(name: str) -> None:
    most = getattr(MOST, name)
    assert getattr(Settings(**{name: most}), name) == most
    with pytest.raises(ValidationError, match=f"{name}\n.*less than or equal to {most}"):
        Settings(**{name: most + 1})


def test_a_node_whose_gpus_need_all_its_cpus_has_no_cpu_worker() -> None:
    assert [slot.device for slot in slots_of(Node("n", "host", 1, 1))] == ["gpu0"]


def test_a_head_node_without_cpus_has_no_worker() -> None:
    assert slots_of(Node("head", "host", 0, 0)) == []


def test_only_slots_without_a_worker_are_missing() -> None:
    nodes = [Node("a", "host", 2, 1), Node("b", "host", 2, 0)]
    found = missing(nodes, [worker("a", "cpu"), worker("b", "cpu")])
    assert [slot.key for slot in found] == [("a", "gpu0")]


def test_workers_of_a_node_that_is_gone_are_stranded() -> None:
    workers = [worker("a", "cpu"), worker("gone", "cpu")]
    assert stranded([Node("a", "host", 2, 0)], workers) == ["w-gone-cpu"]
