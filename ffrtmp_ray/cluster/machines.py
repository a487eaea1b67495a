"""How many machines the farm should have, where Ray's autoscaler brings and takes them. Pure.

Workers hold all CPUs and GPUs of their machines, so Ray sees neither demand nor idle machines. So
it is told what must fit (`ray.autoscaler.sdk.request_resources`: all together, what is in use
too), and a machine on which nothing has run for a while *rests*: its workers end, and it gets no
others until something waits. Then it is idle for Ray, which ends it in its own time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from ffrtmp_ray.cluster.slots import Node, slots_of
from ffrtmp_ray.core.model import Needs, Worker, WorkerId

Bundle: TypeAlias = Mapping[str, float]
"""What must fit on one machine, by Ray's names: `{"CPU": 2}`."""

MOST_BUNDLES = 1000
"""For what waits. Ray packs them onto machines one by one."""
CPU: Bundle = {"CPU": 1}


@dataclass(frozen=True, slots=True)
class Plan:
    bundles: tuple[Bundle, ...] = ()
    """All that must fit on the cluster; nothing, when nothing waits."""
    resting: frozenset[str] = frozenset()
    """Ids of nodes that are to have no workers."""


class Machines:
    """Remembers since when workers have had nothing to do. Times are in seconds of any clock."""

    def __init__(self, *, idle_seconds: float, gpu_sessions: int) -> None:
        self._idle_seconds = idle_seconds
        self._gpu_sessions = gpu_sessions
        self._idle_since: dict[WorkerId, float] = {}
        self._resting: frozenset[str] = frozenset()

    def look(
        self,
        nodes: Sequence[Node],
        workers: Iterable[Worker],
        busy: AbstractSet[WorkerId],
        unmet: Sequence[Needs],
        now: float,
    ) -> Plan:
        """`busy` are the workers that have something to do, `unmet` what waits for room."""
        workers = list(workers)
        self._idle_since = {
            worker.id: self._idle_since.get(worker.id, now)
            for worker in workers
            if worker.id not in busy
        }
        waiting = demand(unmet, gpu_sessions=self._gpu_sessions)
        self._resting = self._rest(nodes, workers, waiting, now)
        if not waiting:
            return Plan((), self._resting)  # what runs keeps its machines by itself
        taken = {worker.node_id for worker in workers if worker.id in busy or worker.draining}
        held = tuple(bundle for node in nodes if node.id in taken for bundle in _all_of(node))
        return Plan(held + waiting, self._resting)

    def _rest(
        self,
        nodes: Sequence[Node],
        workers: Sequence[Worker],
        waiting: Sequence[Bundle],
        now: float,
    ) -> frozenset[str]:
        """Nodes that nothing needs; of those that could encode on CPUs, one stays."""
        of_node: dict[str, list[Worker]] = {}
        for worker in workers:
            of_node.setdefault(worker.node_id, []).append(worker)
        able = [node for node in nodes if slots_of(node)]
        idle = [
            node
            for node in able
            if not _is_wanted(node, waiting) and self._is_idle(node, of_node.get(node.id, []), now)
        ]
        if idle and len(idle) == len(able):
            awake = [node for node in idle if node.id not in self._resting] or idle
            idle.remove(min(awake, key=lambda node: (node.gpus, node.id)))
        return frozenset(node.id for node in idle)

    def _is_idle(self, node: Node, workers: Sequence[Worker], now: float) -> bool:
        """A node without workers is, if it rests; a worker that somebody drains is kept for him."""
        if not workers:
            return node.id in self._resting
        return all(
            not worker.draining
            and worker.id in self._idle_since
            and now - self._idle_since[worker.id] >= self._idle_seconds
            for worker in workers
        )


def demand(unmet: Iterable[Needs], *, gpu_sessions: int) -> tuple[Bundle, ...]:
    """What must fit beside all that there is, so that what waits could start.

    By the way that each task would like best, cut into the smallest parts that it could make do
    with: a machine that is large enough for one part is of use. What takes slots only (plans,
    sound) finds them on the machines that the rest needs, and asks for one CPU if it is alone.
    """
    bundles: list[Bundle] = []
    sessions, light = 0, False
    for needs in unmet:
        best, least = needs.alternatives[0].resources, needs.alternatives[-1].resources
        if best.gpu_sessions:
            sessions += best.gpu_sessions
        elif best.cpus:
            part = max(1, min(best.cpus, least.cpus or best.cpus))
            bundles += [{"CPU": part}] * math.ceil(best.cpus / part)
        else:
            light = True
        if len(bundles) >= MOST_BUNDLES:
            break
    bundles += [{"GPU": 1}] * math.ceil(sessions / gpu_sessions)
    if light and not bundles:
        bundles.append(CPU)
    return tuple(bundles[:MOST_BUNDLES])


def _is_wanted(node: Node, waiting: Iterable[Bundle]) -> bool:
    return any("CPU" in bundle or node.gpus for bundle in waiting)


def _all_of(node: Node) -> list[Bundle]:
    """So that what waits is not thought to fit there."""
    return [
        {"CPU": slot.cpus, "GPU": slot.gpus} if slot.gpus else {"CPU": slot.cpus}
        for slot in slots_of(node)
    ]
