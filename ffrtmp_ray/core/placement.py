"""Which worker takes a task: what is on each worker, and what room that leaves to whom.

Room is counted once for each strength of claim. What a claim finds includes what stands in its
way but would give way to it, so that one look-up also answers "would there be room if …".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, NamedTuple

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
from ffrtmp_ray.core.rooms import Asked, Kind, Kinds, RoomIndex, fits, is_less
from ffrtmp_ray.core.vector import (
    NO_ROOM,
    Room,
    Size,
    at_least_nothing,
    holds,
    pack,
    risen,
    times,
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


_NOW: Final = Claim.NOW
_CLAIMS: Final = (_NOW, Claim.IDLE, Claim.URGENT, Claim.LIVE)


class Promise(NamedTuple):
    """Room that a ready task will take as soon as what is in its place has gone."""

    grant: Requirement
    yields_to: Claim


@dataclass(slots=True)
class Place:
    """One worker as a place for tasks. It outlives the worker's row while attempts are on it."""

    worker: Worker | None = None
    kind: Kind | None = None
    takes_more: bool = False
    """Whether there is a worker, and it is not drained."""
    attempts: dict[AttemptId, Attempt] = field(default_factory=dict)
    """All that have not ended."""
    promises: dict[TaskId, Promise] = field(default_factory=dict)
    left: list[Room] = field(default_factory=lambda: [NO_ROOM] * len(_CLAIMS))
    """For each claim, what it finds; below 0 while what is promised has not come free."""
    used: Size = 0
    """By attempts."""
    listed: list[Room] = field(default_factory=list)
    """For each claim, the room under which the worker is in its index; empty if it is not."""
    seen: list[Room] = field(default_factory=list)
    """For each claim, the room when it was last asked whether it has risen."""
    _holds: dict[str, tuple[Size, Claim]] = field(default_factory=dict)
    """What is taken of the room, and the weakest claim that it gives way to."""
    _gained: bool = True
    """Whether something has come free since it was last asked whether its room has risen."""

    def put_worker(self, worker: Worker | None, kind: Kind | None) -> None:
        """Have another worker's row here, or none."""
        gained = (NO_ROOM if kind is None else kind.empty) - self.empty
        self.left = [room + gained for room in self.left]
        self._gained = True
        self.worker, self.kind = worker, kind
        self.takes_more = worker is not None and not worker.draining

    @property
    def empty(self) -> Room:
        """Of the worker when it has nothing to do; nothing where there is none."""
        return NO_ROOM if self.kind is None else self.kind.empty

    def hold(self, key: str, size: Size, yields_to: Claim) -> bool:
        """Returns whether that changes anything."""
        old = self._holds.get(key)
        if old is not None:
            if old[1] is yields_to and old[0] == size:
                return False
            self.release(key)
        self._holds[key] = (size, yields_to)
        left = self.left
        for claim in range(yields_to):
            left[claim] -= size
        return True

    def release(self, key: str) -> None:
        size, yields_to = self._holds.pop(key)
        left = self.left
        for claim in range(yields_to):
            left[claim] += size
        self._gained = True

    def yields_to(self, attempt_id: AttemptId) -> Claim:
        return self._holds[attempt_id][1]

    def room(self, claim: Claim) -> Room:
        """What `claim` finds; 0 of what is promised before it has come free."""
        return at_least_nothing(self.left[claim]) if self.promises else self.left[claim]

    def rooms(self) -> list[Room]:
        """As `room`, for each claim."""
        return [at_least_nothing(each) for each in self.left] if self.promises else self.left[:]

    def rise(self) -> list[Claim]:
        """The claims that may find more than when this was last asked."""
        before, after = self.seen, self.rooms()
        gained, self.seen, self._gained = self._gained, after, False
        if not before:
            return list(_CLAIMS)
        if not gained and not self.promises:
            return []
        return [claim for claim in _CLAIMS if risen(before[claim], after[claim])]

    @property
    def unused(self) -> Room:
        """What no attempt has, be it promised or not."""
        return self.empty - self.used

    def keeps(self, promise: Promise) -> bool:
        """Whether what was promised has come free."""
        return holds(self.unused, pack(promise.grant.resources))


class Places:
    """All workers, what is on them, and indexes of their room.

    The indexes are brought up to date when something is asked of them: a worker that has got
    other tasks of the same size in between costs nothing.
    """

    def __init__(self) -> None:
        self._places: dict[WorkerId, Place] = {}
        self._kinds = Kinds()
        self._rooms = tuple(RoomIndex() for _ in _CLAIMS)
        self._capacities = RoomIndex()
        self._touched: dict[WorkerId, None] = {}
        """Their room may have changed since it was last asked who has risen."""
        self._unlisted: dict[WorkerId, None] = {}
        """Their room may be another than their indexes have."""
        self._freed: dict[WorkerId, None] = {}

    def __getitem__(self, worker_id: WorkerId) -> Place:
        return self._places[worker_id]

    def get(self, worker_id: WorkerId) -> Place | None:
        return self._places.get(worker_id)

    def put_worker(self, worker: Worker) -> None:
        place = self._place(worker.id)
        self._unlist(worker.id, place)
        place.put_worker(worker, self._kinds.of(worker))
        self._touch(worker.id)

    def _place(self, worker_id: WorkerId) -> Place:
        place = self._places.get(worker_id)
        if place is None:
            place = self._places[worker_id] = Place()
        return place

    def _touch(self, worker_id: WorkerId) -> None:
        self._touched[worker_id] = self._unlisted[worker_id] = None

    def remove_worker(self, worker_id: WorkerId) -> None:
        """It takes nothing any more; what is on it is still known."""
        place = self._places[worker_id]
        self._unlist(worker_id, place)
        place.put_worker(None, None)
        self._forget_if_empty(worker_id)

    def hold(self, attempt: Attempt, yields_to: Claim) -> None:
        """Put `attempt` on its worker, or change what it yields to."""
        place = self._place(attempt.worker_id)
        size = pack(attempt.grant.resources)
        if attempt.id not in place.attempts:
            place.used += size
        place.attempts[attempt.id] = attempt
        if place.hold(attempt.id, size, yields_to):
            self._touch(attempt.worker_id)

    def release(self, attempt: Attempt) -> None:
        place = self._places[attempt.worker_id]
        del place.attempts[attempt.id]
        place.used -= pack(attempt.grant.resources)
        place.release(attempt.id)
        self._touch(attempt.worker_id)
        if place.promises:
            self._freed[attempt.worker_id] = None
        if place.worker is None:
            self._forget_if_empty(attempt.worker_id)

    def promise(self, worker_id: WorkerId, task_id: TaskId, promise: Promise) -> None:
        place = self._places[worker_id]
        place.promises[task_id] = promise
        place.hold(task_id, pack(promise.grant.resources), promise.yields_to)
        self._touch(worker_id)

    def unpromise(self, worker_id: WorkerId, task_id: TaskId) -> None:
        place = self._places[worker_id]
        del place.promises[task_id]
        place.release(task_id)
        self._touch(worker_id)

    # ---------------------------------------------------------------- look-ups

    def best(
        self, wanted: Asked, among: Iterable[WorkerId] | None = None, waiting: int = 1
    ) -> tuple[WorkerId, Requirement] | None:
        """Where a task goes that finds room now, and what it gets: its first alternative that
        fits a worker (one of `among`, if they are given), or all that the worker has for one that
        is to be alone.

        Where so many are `waiting` for the same that not all would find room, it gets what is the
        same with fewer CPUs: many that take one CPU each get more done than a few of many
        threads, and none waits for CPUs that stand idle while another one's threads wait.
        """
        if among is None:
            self._refresh()
        for place, (requirement, size) in enumerate(wanted):
            worker_id = self._find(requirement, size, among)
            if worker_id is None:
                continue
            if waiting > 1 and place + 1 < len(wanted):
                requirement, size = self._shared(wanted[place:], among, waiting)
                worker_id = self._find(requirement, size, among) or worker_id
            return worker_id, self.grant(worker_id, requirement)
        return None

    def _find(
        self, requirement: Requirement, size: Size, among: Iterable[WorkerId] | None
    ) -> WorkerId | None:
        if among is None:
            return self._rooms[_NOW].best(requirement, size)
        best: tuple[Room, WorkerId] | None = None
        for worker_id in among:
            found = self.room(worker_id, _NOW)
            if found is None:
                continue
            kind, room = found
            if fits(requirement, size, kind, room) and (best is None or (room, worker_id) < best):
                best = (room, worker_id)
        return None if best is None else best[1]

    def _shared(
        self, wanted: Asked, among: Iterable[WorkerId] | None, waiting: int
    ) -> tuple[Requirement, Size]:
        """The first of `wanted`, or the next one after it that asks for the same with fewer CPUs,
        until all that are `waiting` find room with it, or there is none with fewer."""
        chosen, *others = wanted
        for other in others:
            if not is_less(other[0], chosen[0]) or self._hold_together(*chosen, among, waiting):
                break
            chosen = other
        return chosen

    def _hold_together(
        self,
        requirement: Requirement,
        size: Size,
        among: Iterable[WorkerId] | None,
        waiting: int,
    ) -> bool:
        """Whether so many find room now."""
        if among is None:
            return self._rooms[_NOW].hold_together(requirement, size, waiting)
        for worker_id in among:
            found = self.room(worker_id, _NOW)
            if found is not None and fits(requirement, size, found[0], found[1]):
                waiting -= times(found[1], size)
        return waiting <= 0

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
        if place is None or place.kind is None or not place.takes_more:
            return None
        return place.kind, place.room(claim)

    def finds_more(self, worker_id: WorkerId, claim: Claim) -> bool:
        """Whether `claim` finds more on a worker than is free for all."""
        place = self._places.get(worker_id)
        return place is not None and place.left[claim] != place.left[_NOW]

    def free(self, worker_id: WorkerId) -> Resources:
        """What no attempt has of a worker; nothing, if the worker is not known."""
        place = self._places.get(worker_id)
        return Resources() if place is None else unpack(place.unused)

    def risen(self) -> dict[WorkerId, list[Claim]]:
        """Workers on which some claims may find more than when this was last asked, with those
        claims."""
        touched, self._touched = self._touched, {}
        found = {}
        for worker_id in touched:
            place = self._places.get(worker_id)
            if place is not None and place.takes_more and (claims := place.rise()):
                found[worker_id] = claims
        return found

    def freed(self) -> dict[WorkerId, None]:
        """Workers with promises that an attempt has left since this was last asked."""
        freed, self._freed = self._freed, {}
        return freed

    # ---------------------------------------------------------------- indexes

    def _refresh(self) -> None:
        if not self._unlisted:
            return
        unlisted, self._unlisted = self._unlisted, {}
        for worker_id in unlisted:
            place = self._places.get(worker_id)
            if place is not None and place.kind is not None and place.takes_more:
                self._list(worker_id, place, place.kind)

    def _list(self, worker_id: WorkerId, place: Place, kind: Kind) -> None:
        listed, rooms = place.listed, place.rooms()
        if rooms == listed:
            return
        place.listed = rooms
        if not listed:
            self._capacities.add(worker_id, kind, kind.empty)
        for claim in _CLAIMS:
            index = self._rooms[claim]
            if not listed:
                index.add(worker_id, kind, rooms[claim])
            elif listed[claim] != rooms[claim]:
                index.remove(worker_id, kind, listed[claim])
                index.add(worker_id, kind, rooms[claim])

    def _unlist(self, worker_id: WorkerId, place: Place) -> None:
        if place.listed and place.kind is not None:
            for index, room in zip(self._rooms, place.listed, strict=True):
                index.remove(worker_id, place.kind, room)
            self._capacities.remove(worker_id, place.kind, place.kind.empty)
        place.listed = []
        place.seen = []

    def _forget_if_empty(self, worker_id: WorkerId) -> None:
        place = self._places[worker_id]
        if place.worker is None and not place.attempts:
            del self._places[worker_id]
