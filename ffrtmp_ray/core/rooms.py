"""Workers by the room they have, indexed. Knows nothing of tasks but what they ask for.

A look-up costs as many steps as there are different rooms (a few dozen in a fleet of thousands),
not as many as there are workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from msgspec.structs import replace

from ffrtmp_ray.core.model import Needs, Requirement, Resources, Worker, WorkerId
from ffrtmp_ray.core.vector import NO_ROOM, Room, Size, holds, pack, times


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Workers that can do the same. Compared by identity: `Kinds` makes each once."""

    capabilities: frozenset[str]
    has_gpu: bool
    empty: Room
    """Of a worker that has nothing to do."""


class Kinds:
    def __init__(self) -> None:
        self._kinds: dict[tuple[frozenset[str], Resources], Kind] = {}

    def of(self, worker: Worker) -> Kind:
        key = (worker.capabilities, worker.capacity)
        kind = self._kinds.get(key)
        if kind is None:
            has_gpu, empty = worker.capacity.gpu_sessions > 0, NO_ROOM + pack(worker.capacity)
            kind = self._kinds[key] = Kind(worker.capabilities, has_gpu, empty)
        return kind


Asked: TypeAlias = tuple[tuple[Requirement, Size], ...]
"""The alternatives of some needs, with what each takes."""


def asked(needs: Needs) -> Asked:
    """Raises InvalidRequest for needs that no number can hold."""
    return tuple((each, pack(each.resources)) for each in needs.alternatives)


def suits(requirement: Requirement, kind: Kind) -> bool:
    """Whether a worker of this kind may do it. What asks for no GPU leaves GPU workers alone:
    their few CPUs are there to feed the GPU."""
    wants_gpu = requirement.resources.gpu_sessions > 0
    return wants_gpu == kind.has_gpu and requirement.capabilities <= kind.capabilities


def fits(requirement: Requirement, size: Size, kind: Kind, room: Room) -> bool:
    """Whether it may go to a worker of this kind with this room."""
    if not holds(room, size) or not suits(requirement, kind):
        return False
    return not requirement.alone or room == kind.empty


def fits_any(wanted: Asked, kind: Kind, room: Room) -> bool:
    return any(fits(requirement, size, kind, room) for requirement, size in wanted)


@lru_cache(maxsize=1024)
def is_less(requirement: Requirement, than: Requirement) -> bool:
    """Whether it asks for the same as another one, but for fewer CPUs."""
    cpus = requirement.resources.cpus
    if cpus >= than.resources.cpus:
        return False
    return replace(than, resources=replace(than.resources, cpus=cpus)) == requirement


class RoomIndex:
    def __init__(self) -> None:
        self._rooms: dict[Kind, dict[Room, dict[WorkerId, None]]] = {}

    def add(self, worker_id: WorkerId, kind: Kind, room: Room) -> None:
        self._rooms.setdefault(kind, {}).setdefault(room, {})[worker_id] = None

    def remove(self, worker_id: WorkerId, kind: Kind, room: Room) -> None:
        rooms = self._rooms[kind]
        workers = rooms[room]
        del workers[worker_id]
        if not workers:
            del rooms[room]
            if not rooms:
                del self._rooms[kind]

    def best(self, requirement: Requirement, size: Size) -> WorkerId | None:
        """The worker that it fits with the least room left over, CPUs first."""
        fitting = list(self._fitting(requirement, size))
        if not fitting:
            return None
        _, workers = min(fitting, key=_room)
        return next(iter(workers))

    def candidates(self, requirement: Requirement, size: Size) -> Iterator[WorkerId]:
        """All workers that it fits."""
        for _, workers in self._fitting(requirement, size):
            yield from workers

    def count(self, requirement: Requirement, size: Size) -> int:
        return sum(len(workers) for _, workers in self._fitting(requirement, size))

    def hold_together(self, requirement: Requirement, size: Size, wanted: int) -> bool:
        """Whether so many of it would find room at once."""
        for room, workers in self._fitting(requirement, size):
            wanted -= times(room, size) * len(workers)
            if wanted <= 0:
                return True
        return False

    def _fitting(
        self, requirement: Requirement, size: Size
    ) -> Iterator[tuple[Room, dict[WorkerId, None]]]:
        for kind, rooms in self._rooms.items():
            if not suits(requirement, kind):
                continue
            for room, workers in rooms.items():
                if holds(room, size) and (not requirement.alone or room == kind.empty):
                    yield room, workers


def _room(found: tuple[Room, dict[WorkerId, None]]) -> Room:
    return found[0]
