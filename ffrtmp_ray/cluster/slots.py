"""Which workers a cluster should have: one per node for its CPUs, one per GPU. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ffrtmp_ray.core.model import Resources, Worker, WorkerId
from ffrtmp_ray.settings import Settings

MOST_GPU_WORKER_CPUS = 4
"""CPUs that a GPU worker takes from its node at most: it decodes, filters and muxes on them, on
one for each encode."""


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the Ray cluster, with what Ray says it has."""

    id: str
    hostname: str
    cpus: int
    gpus: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one worker: `device` of a node, with what the worker is to hold there."""

    node_id: str
    hostname: str
    device: str
    cpus: int
    gpus: int

    @property
    def key(self) -> tuple[str, str]:
        return self.node_id, self.device

    def capacity(self, settings: Settings) -> Resources:
        """As far as is known before the worker has looked at its GPU."""
        return Resources(
            cpus=self.cpus,
            gpu_sessions=settings.gpu_sessions if self.gpus else 0,
            gpu_memory_mib=settings.gpu_memory_mib if self.gpus else 0,
            plan_slots=settings.plan_slots,
            light_slots=settings.light_slots,
        )


def slots_of(node: Node) -> list[Slot]:
    """The workers that one node should have. Those of GPUs get half of the CPUs at most, yet one
    each; GPUs for which no CPU is left get none."""
    gpus = min(node.gpus, node.cpus)
    each = max(1, min(MOST_GPU_WORKER_CPUS, node.cpus // (2 * gpus))) if gpus else 0
    slots = [Slot(node.id, node.hostname, f"gpu{index}", each, 1) for index in range(gpus)]
    cpus = node.cpus - gpus * each
    if cpus > 0:
        slots.insert(0, Slot(node.id, node.hostname, "cpu", cpus, 0))
    return slots


def missing(nodes: Iterable[Node], workers: Iterable[Worker]) -> list[Slot]:
    """Slots of `nodes` that none of `workers` fills."""
    filled = {(worker.node_id, worker.device) for worker in workers}
    return [slot for node in nodes for slot in slots_of(node) if slot.key not in filled]


def stranded(nodes: Iterable[Node], workers: Iterable[Worker]) -> list[WorkerId]:
    """Workers whose node is gone."""
    alive = {node.id for node in nodes}
    return [worker.id for worker in workers if worker.node_id not in alive]
