"""Which worker takes a task: the room that workers have, indexed. Knows nothing of jobs.

Room is counted once for each strength of claim. What a claim finds includes what stands in its
way but would give way to it, so that one look-up also answers "would there be room if …".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple, TypeAlias

from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Needs,
    Requirement,
    Resources,
    TaskId,
    Worker,
    WorkerId,
)

NOTHING = Resources()


class Claim(IntEnum):
    """How strong a claim to room is; each finds all the room that those before it find."""

    NOW = 0
    """Room that nobody has."""
    IDLE = 1
    """And room of attempts that are stopping, or suspended with their paused job."""
    URGENT = 2
    """And room that gives way to urgent tasks."""
    LIVE = 3
    """And room that gives way to live ones."""
    NEVER = 4
    """No claim: what yields to this yields to none."""


_CLAIMS = (Claim.NOW, Claim.IDLE, Claim.URGENT, Claim.LIVE)


class Hold(NamedTuple):
    """Room of a worker that is taken."""

    resources: Resources
    yields_to: Claim
    """The weakest claim that it gives way to."""


class Promise(NamedTuple):
    """Room that a ready task will take as soon as what is in its place has gone."""

    grant: Requirement
    yields_to: Claim


class RoomIndex:
    """Workers by the room they have. A look-up costs as many steps as there are different rooms
    (a few dozen in a fleet of thousands), not as many as there are workers."""

    def __init__(self) -> None:
        self._groups: dict[_Group, dict[Resources, dict[WorkerId, None]]] = {}
        self._where: dict[WorkerId, tuple[_Group, Resources]] = {}

    def put(self, worker: Worker, room: Resources) -> Resources | None:
        """Set what room `worker` has; returns what it had, or None if it was not here as this
        kind of worker."""
        group = (worker.capabilities, worker.capacity.gpus > 0)
        old = self._where.get(worker.id)
        if old != (group, room):
            self.remove(worker.id)
            self._groups.setdefault(group, {}).setdefault(room, {})[worker.id] = None
            self._where[worker.id] = (group, room)
        return old[1] if old is not None and old[0] == group else None

    def remove(self, worker_id: WorkerId) -> None:
        if worker_id not in self._where:
            return
        group, room = self._where.pop(worker_id)
        rooms = self._groups[group]
        del rooms[room][worker_id]
        if not rooms[room]:
            del rooms[room]
        if not rooms:
            del self._groups[group]

    def best(self, requirement: Requirement) -> WorkerId | None:
        """The worker that `requirement` fits with the least room left over, CPUs first."""
        rooms = list(self._fitting(requirement))
        if not rooms:
            return None
        _, workers = min(rooms, key=lambda found: _tightness(found[0]))
        return next(iter(workers))

    def candidates(self, requirement: Requirement) -> Iterator[WorkerId]:
        """All workers that `requirement` fits."""
        for _, workers in self._fitting(requirement):
            yield from workers

    def count(self, requirement: Requirement) -> int:
        return sum(len(workers) for _, workers in self._fitting(requirement))

    def _fitting(
        self, requirement: Requirement
    ) -> Iterator[tuple[Resources, dict[WorkerId, None]]]:
        for (capabilities, has_gpu), rooms in self._groups.items():
            if suits(requirement, capabilities, has_gpu=has_gpu):
                for room, workers in rooms.items():
                    if requirement.resources.within(room):
                        yield room, workers


_Group: TypeAlias = tuple[frozenset[str], bool]


def suits(requirement: Requirement, capabilities: frozenset[str], *, has_gpu: bool) -> bool:
    """Whether a worker of this kind may do it. What asks for no GPU leaves GPU workers alone:
    their few CPUs are there to feed the GPU."""
    wants_gpu = requirement.resources.gpus > 0
    return wants_gpu == has_gpu and requirement.capabilities <= capabilities


def fits(needs: Needs, worker: Worker, room: Resources) -> bool:
    """Whether one of the alternatives may go to `worker` when it has `room`."""
    has_gpu = worker.capacity.gpus > 0
    return any(
        suits(each, worker.capabilities, has_gpu=has_gpu) and each.resources.within(room)
        for each in needs.alternatives
    )


def _tightness(room: Resources) -> tuple[int, int, int, int]:
    return (room.cpus, room.gpus, room.light_slots, room.plan_slots)


@dataclass(slots=True)
class Place:
    """One worker as a place for tasks. It outlives the worker's row while attempts are on it."""

    worker: Worker | None = None
    attempts: dict[AttemptId, Attempt] = field(default_factory=dict)
    """All that have not ended."""
    promises: dict[TaskId, Promise] = field(default_factory=dict)
    taken: list[Resources] = field(default_factory=lambda: [NOTHING] * len(_CLAIMS))
    """For each claim, what it does not find."""
    used: Resources = NOTHING
    """By attempts."""
    _holds: dict[str, Hold] = field(default_factory=dict)

    def hold(self, key: str, hold: Hold) -> None:
        self.release(key)
        self._holds[key] = hold
        for claim in _CLAIMS[: hold.yields_to]:
            self.taken[claim] += hold.resources

    def release(self, key: str) -> None:
        hold = self._holds.pop(key, None)
        if hold is not None:
            for claim in _CLAIMS[: hold.yields_to]:
                self.taken[claim] -= hold.resources

    def yields_to(self, attempt_id: AttemptId) -> Claim:
        return self._holds[attempt_id].yields_to

    def room(self, claim: Claim) -> Resources:
        """What `claim` finds; 0 of what is promised before it has come free."""
        if self.worker is None:
            return NOTHING
        return at_least_nothing(self.worker.capacity - self.taken[claim])

    @property
    def balance(self) -> Resources:
        """Capacity less all that is taken or promised; below 0 while a promise is not kept."""
        return (NOTHING if self.worker is None else self.worker.capacity) - self.taken[Claim.NOW]

    @property
    def free(self) -> Resources:
        """What no attempt has, be it promised or not."""
        if self.worker is None:
            return NOTHING
        return at_least_nothing(self.worker.capacity - self.used)


def at_least_nothing(room: Resources) -> Resources:
    if room.cpus >= 0 and room.gpus >= 0 and room.plan_slots >= 0 and room.light_slots >= 0:
        return room
    return Resources(
        max(0, room.cpus), max(0, room.gpus), max(0, room.plan_slots), max(0, room.light_slots)
    )


class Places:
    """All workers, what is on them, and indexes of their room."""

    def __init__(self) -> None:
        self._places: dict[WorkerId, Place] = {}
        self._rooms = {claim: RoomIndex() for claim in _CLAIMS}
        self._capacities = RoomIndex()
        self._risen: dict[WorkerId, None] = {}

    def __getitem__(self, worker_id: WorkerId) -> Place:
        return self._places[worker_id]

    def get(self, worker_id: WorkerId) -> Place | None:
        return self._places.get(worker_id)

    def put_worker(self, worker: Worker) -> None:
        place = self._places.setdefault(worker.id, Place())
        place.worker = worker
        if worker.draining:
            self._unlist(worker.id)
        else:
            self._capacities.put(worker, worker.capacity)
            self._list(worker.id)

    def remove_worker(self, worker_id: WorkerId) -> None:
        """It takes nothing any more; what is on it is still known."""
        self._places[worker_id].worker = None
        self._unlist(worker_id)
        self._forget_if_empty(worker_id)

    def hold(self, attempt: Attempt, yields_to: Claim) -> None:
        """Put `attempt` on its worker, or change what it yields to."""
        place = self._places.setdefault(attempt.worker_id, Place())
        resources = attempt.grant.resources
        if attempt.id not in place.attempts:
            place.used += resources
        place.attempts[attempt.id] = attempt
        place.hold(attempt.id, Hold(resources, yields_to))
        self._list(attempt.worker_id)

    def release(self, attempt: Attempt) -> None:
        place = self._places[attempt.worker_id]
        del place.attempts[attempt.id]
        place.used -= attempt.grant.resources
        place.release(attempt.id)
        self._list(attempt.worker_id)
        if place.promises:
            self._risen[attempt.worker_id] = None  # no claim finds more, but a promise may be kept
        self._forget_if_empty(attempt.worker_id)

    def promise(self, worker_id: WorkerId, task_id: TaskId, promise: Promise) -> None:
        place = self._places[worker_id]
        place.promises[task_id] = promise
        place.hold(task_id, Hold(promise.grant.resources, promise.yields_to))
        self._list(worker_id)

    def unpromise(self, worker_id: WorkerId, task_id: TaskId) -> None:
        place = self._places[worker_id]
        del place.promises[task_id]
        place.release(task_id)
        self._list(worker_id)

    def best(self, needs: Needs) -> tuple[WorkerId, Requirement] | None:
        """Where a task goes that finds room now: its first alternative that fits a worker."""
        for requirement in needs.alternatives:
            worker_id = self._rooms[Claim.NOW].best(requirement)
            if worker_id is not None:
                return worker_id, requirement
        return None

    def candidates(self, claim: Claim, requirement: Requirement) -> Iterator[WorkerId]:
        return self._rooms[claim].candidates(requirement)

    def count_able(self, needs: Needs) -> int:
        """How many workers could do it if they had nothing else to do, by the alternative that
        the most of them can do."""
        return max(self._capacities.count(each) for each in needs.alternatives)

    def risen(self) -> list[WorkerId]:
        """Workers on which some claim may find more than when this was last asked."""
        risen = list(self._risen)
        self._risen.clear()
        return risen

    def _list(self, worker_id: WorkerId) -> None:
        place = self._places[worker_id]
        if place.worker is None or place.worker.draining:
            return
        for claim, index in self._rooms.items():
            room = place.room(claim)
            before = index.put(place.worker, room)
            if before is None or not room.within(before):
                self._risen[worker_id] = None

    def _unlist(self, worker_id: WorkerId) -> None:
        for index in (*self._rooms.values(), self._capacities):
            index.remove(worker_id)
        self._risen.pop(worker_id, None)

    def _forget_if_empty(self, worker_id: WorkerId) -> None:
        place = self._places[worker_id]
        if place.worker is None and not place.attempts:
            del self._places[worker_id]
