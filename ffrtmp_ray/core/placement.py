"""Which worker takes a task: what is on each worker, and what room that leaves to whom.

Room is counted once for each strength of claim. What a claim finds includes what stands in its
way but would give way to it, so that one look-up also answers "would there be room if …".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from msgspec.structs import replace

from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Requirement,
    Resources,
    TaskId,
    Worker,
    WorkerId,
)
from ffrtmp_ray.core.rooms import Asked, Kind, Kinds, RoomIndex, fits
from ffrtmp_ray.core.vector import (
    NO_ROOM,
    Room,
    Size,
    at_least_nothing,
    has_risen,
    holds,
    pack,
    unpack,
)


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

    size: Size
    yields_to: Claim
    """The weakest claim that it gives way to."""


class Promise(NamedTuple):
    """Room that a ready task will take as soon as what is in its place has gone."""

    grant: Requirement
    yields_to: Claim


@dataclass(slots=True)
class Place:
    """One worker as a place for tasks. It outlives the worker's row while attempts are on it."""

    worker: Worker | None = None
    kind: Kind | None = None
    attempts: dict[AttemptId, Attempt] = field(default_factory=dict)
    """All that have not ended."""
    promises: dict[TaskId, Promise] = field(default_factory=dict)
    taken: list[Size] = field(default_factory=lambda: [0] * len(_CLAIMS))
    """For each claim, what it does not find."""
    used: Size = 0
    """By attempts."""
    listed: list[Room] = field(default_factory=list)
    """For each claim, the room under which the worker is in its index; empty if it is not."""
    _holds: dict[str, Hold] = field(default_factory=dict)

    def hold(self, key: str, size: Size, yields_to: Claim) -> bool:
        """Returns whether that changes anything."""
        old = self._holds.get(key)
        if old is not None:
            if old.yields_to is yields_to and old.size == size:
                return False
            self._count(old, -1)
        new = self._holds[key] = Hold(size, yields_to)
        self._count(new, 1)
        return True

    def release(self, key: str) -> None:
        self._count(self._holds.pop(key), -1)

    def _count(self, hold: Hold, by: int) -> None:
        for claim in range(hold.yields_to):
            self.taken[claim] += by * hold.size

    def yields_to(self, attempt_id: AttemptId) -> Claim:
        return self._holds[attempt_id].yields_to

    def room(self, claim: Claim) -> Room:
        """What `claim` finds; 0 of what is promised before it has come free."""
        return at_least_nothing(self.balance(claim))

    def balance(self, claim: Claim) -> Room:
        """As `room`, but below 0 while what is promised has not come free."""
        return self._capacity - self.taken[claim]

    @property
    def _capacity(self) -> Room:
        return NO_ROOM if self.kind is None else self.kind.empty

    @property
    def unused(self) -> Room:
        """What no attempt has, be it promised or not."""
        return self._capacity - self.used

    def keeps(self, promise: Promise) -> bool:
        """Whether what was promised has come free."""
        return holds(self.unused, pack(promise.grant.resources))


class Places:
    """All workers, what is on them, and indexes of their room.

    The indexes are brought up to date when something is asked of them: what changes several
    times before that costs once.
    """

    def __init__(self) -> None:
        self._places: dict[WorkerId, Place] = {}
        self._kinds = Kinds()
        self._rooms = tuple(RoomIndex() for _ in _CLAIMS)
        self._capacities = RoomIndex()
        self._changed: dict[WorkerId, None] = {}
        self._risen: dict[WorkerId, list[Claim]] = {}
        self._freed: dict[WorkerId, None] = {}

    def __getitem__(self, worker_id: WorkerId) -> Place:
        return self._places[worker_id]

    def get(self, worker_id: WorkerId) -> Place | None:
        return self._places.get(worker_id)

    def put_worker(self, worker: Worker) -> None:
        place = self._places.setdefault(worker.id, Place())
        self._unlist(worker.id, place)
        place.worker, place.kind = worker, self._kinds.of(worker)
        if not worker.draining:
            self._changed[worker.id] = None

    def remove_worker(self, worker_id: WorkerId) -> None:
        """It takes nothing any more; what is on it is still known."""
        place = self._places[worker_id]
        self._unlist(worker_id, place)
        place.worker = place.kind = None
        self._forget_if_empty(worker_id)

    def hold(self, attempt: Attempt, yields_to: Claim) -> None:
        """Put `attempt` on its worker, or change what it yields to."""
        place = self._places.setdefault(attempt.worker_id, Place())
        size = pack(attempt.grant.resources)
        if attempt.id not in place.attempts:
            place.used += size
        place.attempts[attempt.id] = attempt
        if place.hold(attempt.id, size, yields_to):
            self._changed[attempt.worker_id] = None

    def release(self, attempt: Attempt) -> None:
        place = self._places[attempt.worker_id]
        del place.attempts[attempt.id]
        place.used -= pack(attempt.grant.resources)
        place.release(attempt.id)
        self._changed[attempt.worker_id] = None
        if place.promises:
            self._freed[attempt.worker_id] = None
        self._forget_if_empty(attempt.worker_id)

    def promise(self, worker_id: WorkerId, task_id: TaskId, promise: Promise) -> None:
        place = self._places[worker_id]
        place.promises[task_id] = promise
        place.hold(task_id, pack(promise.grant.resources), promise.yields_to)
        self._changed[worker_id] = None

    def unpromise(self, worker_id: WorkerId, task_id: TaskId) -> None:
        place = self._places[worker_id]
        del place.promises[task_id]
        place.release(task_id)
        self._changed[worker_id] = None

    # ---------------------------------------------------------------- look-ups

    def best(
        self, wanted: Asked, among: Iterable[WorkerId] | None = None
    ) -> tuple[WorkerId, Requirement] | None:
        """Where a task goes that finds room now, and what it gets: its first alternative that
        fits a worker (one of `among`, if they are given), or all that the worker has for one that
        is to be alone."""
        self._refresh()
        rooms = self._rooms[Claim.NOW]
        for requirement, size in wanted:
            if among is None:
                worker_id = rooms.best(requirement, size)
            else:
                worker_id = self._best_of(requirement, size, among)
            if worker_id is not None:
                return worker_id, self.grant(worker_id, requirement)
        return None

    def _best_of(
        self, requirement: Requirement, size: Size, among: Iterable[WorkerId]
    ) -> WorkerId | None:
        fitting = [
            (found[1], worker_id)
            for worker_id in among
            if (found := self.room(worker_id, Claim.NOW)) and fits(requirement, size, *found)
        ]
        return min(fitting)[1] if fitting else None

    def grant(self, worker_id: WorkerId, requirement: Requirement) -> Requirement:
        worker = self._places[worker_id].worker
        if worker is None or not requirement.alone:
            return requirement
        return replace(requirement, resources=worker.capacity)

    def candidates(self, claim: Claim, requirement: Requirement) -> Iterator[WorkerId]:
        self._refresh()
        return self._rooms[claim].candidates(requirement, pack(requirement.resources))

    def able(self, requirement: Requirement) -> Iterator[WorkerId]:
        """Workers that could do it if they had nothing else to do."""
        self._refresh()
        return self._capacities.candidates(requirement, pack(requirement.resources))

    def count_able(self, wanted: Asked) -> int:
        """How many workers could do it if they had nothing else to do, by the alternative that
        the most of them can do."""
        self._refresh()
        return max(self._capacities.count(*each) for each in wanted)

    def room(self, worker_id: WorkerId, claim: Claim) -> tuple[Kind, Room] | None:
        """What kind of worker it is and what `claim` finds on it; None when it takes nothing."""
        place = self._places.get(worker_id)
        if place is None or place.worker is None or place.worker.draining or place.kind is None:
            return None
        return place.kind, place.room(claim)

    def finds_more(self, worker_id: WorkerId, claim: Claim) -> bool:
        """Whether `claim` finds more on a worker than is free for all."""
        taken = self._places[worker_id].taken if worker_id in self._places else ()
        return bool(taken) and taken[claim] != taken[Claim.NOW]

    def free(self, worker_id: WorkerId) -> Resources:
        """What no attempt has of a worker; nothing, if the worker is not known."""
        place = self._places.get(worker_id)
        return Resources() if place is None else unpack(place.unused)

    def risen(self) -> dict[WorkerId, list[Claim]]:
        """Workers on which some claims may find more than when this was last asked, with those
        claims."""
        self._refresh()
        risen, self._risen = self._risen, {}
        return risen

    def freed(self) -> dict[WorkerId, None]:
        """Workers with promises that an attempt has left since this was last asked."""
        freed, self._freed = self._freed, {}
        return freed

    # ---------------------------------------------------------------- indexes

    def _refresh(self) -> None:
        if not self._changed:
            return
        changed, self._changed = self._changed, {}
        for worker_id in changed:
            place = self._places.get(worker_id)
            if place is not None and place.worker is not None and not place.worker.draining:
                self._list(worker_id, place)

    def _list(self, worker_id: WorkerId, place: Place) -> None:
        kind, listed = place.kind, place.listed
        assert kind is not None  # noqa: S101 - a place with a worker has its kind
        empty = kind.empty
        rooms = [empty - taken for taken in place.taken]
        if place.promises:
            rooms = [at_least_nothing(room) for room in rooms]
        if rooms == listed:
            return
        for claim, room in zip(_CLAIMS, rooms, strict=True):
            if not listed:
                self._risen.setdefault(worker_id, []).append(claim)
            elif listed[claim] == room:
                continue
            else:
                self._rooms[claim].remove(worker_id, kind, listed[claim])
                if has_risen(listed[claim], room):
                    self._risen.setdefault(worker_id, []).append(claim)
            self._rooms[claim].add(worker_id, kind, room)
        if not listed:
            self._capacities.add(worker_id, kind, empty)
        place.listed = rooms

    def _unlist(self, worker_id: WorkerId, place: Place) -> None:
        if place.listed and place.kind is not None:
            for index, room in zip(self._rooms, place.listed, strict=True):
                index.remove(worker_id, place.kind, room)
            self._capacities.remove(worker_id, place.kind, place.kind.empty)
            place.listed = []
        self._risen.pop(worker_id, None)

    def _forget_if_empty(self, worker_id: WorkerId) -> None:
        place = self._places[worker_id]
        if place.worker is None and not place.attempts:
            del self._places[worker_id]
