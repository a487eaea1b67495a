"""What the engine is compared with: first come, first served, with one queue for everything.

The head of the queue waits until a worker has room for it, and all others wait behind it. It knows
no classes, no owners and no preemption, and tries a failed task again at once, for ever. It puts a
task where the least room is left over, as the engine does, so that only the order differs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from msgspec.structs import astuple

from ffrtmp_ray.core.messages import (
    AttemptAdded,
    Change,
    Event,
    JobSubmitted,
    JobTransitioned,
    Level,
    Outcome,
    Sync,
    TaskFailed,
    TaskStarted,
    TaskSucceeded,
    Tick,
    WorkerJoined,
    WorkerLost,
)
from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    JobId,
    JobState,
    NewTask,
    Requirement,
    Resources,
    WorkerId,
)


@dataclass(slots=True, eq=False)
class Work:
    """A task that has not succeeded."""

    job_id: JobId
    order: int
    """Of its job."""
    position: int
    """In its job."""
    new: NewTask
    blockers: set[str]
    tries: int = 0

    @property
    def id(self) -> str:
        return f"{self.job_id}-{self.new.name}"


@dataclass(slots=True, eq=False)
class Place:
    free: Resources
    has_gpu: bool
    work: dict[AttemptId, tuple[Work, Requirement]] = field(default_factory=dict)


class Fifo:
    def __init__(self) -> None:
        self._open: dict[JobId, dict[str, Work]] = {}
        self._orders: dict[JobId, int] = {}
        self._queue: list[tuple[int, int, Work]] = []
        self._places: dict[WorkerId, Place] = {}
        self._rooms: dict[tuple[bool, Resources], dict[WorkerId, None]] = {}
        """Workers by what they are and have free."""
        self._changes: list[Change] = []
        self._synced: dict[WorkerId, None] = {}
        self._now = 0.0
        self._handlers: dict[type, Callable[[Any], None]] = {
            JobSubmitted: self._submitted,
            WorkerJoined: self._joined,
            WorkerLost: self._lost,
            TaskStarted: lambda _: None,
            TaskSucceeded: self._succeeded,
            TaskFailed: self._failed,
            Tick: lambda _: None,
        }

    def handle(self, event: Event, now: float) -> Outcome:
        self._now = now
        self._changes, self._synced = [], {}
        self._handlers[type(event)](event)
        placed = self._place_all()
        syncs = tuple(
            Sync(each, dict.fromkeys(self._places[each].work, Level.RUN)) for each in self._synced
        )
        return Outcome(tuple(self._changes), syncs, scheduled={"placed": placed} if placed else {})

    # ---------------------------------------------------------------- what it is told

    def _submitted(self, event: JobSubmitted) -> None:
        self._open[event.job.id] = {}
        self._orders[event.job.id] = event.job.order
        self._add(event.job.id, event.tasks)

    def _add(self, job_id: JobId, tasks: tuple[NewTask, ...]) -> None:
        known = self._open[job_id]
        order = self._orders[job_id]
        for position, new in enumerate(tasks):
            known[new.name] = work = Work(job_id, order, position, new, set(new.waits_for))
            if not work.blockers:
                self._queue_up(work)

    def _queue_up(self, work: Work) -> None:
        heappush(self._queue, (work.order, work.position, work))

    def _succeeded(self, event: TaskSucceeded) -> None:
        work = self._release(event.worker_id, event.attempt_id)
        tasks = self._open[work.job_id]
        del tasks[work.new.name]
        for other in tasks.values():
            if work.new.name in other.blockers:
                other.blockers.remove(work.new.name)
                if not other.blockers:
                    self._queue_up(other)
        self._add(work.job_id, event.spawn)
        if not tasks:
            del self._open[work.job_id], self._orders[work.job_id]
            self._changes.append(
                JobTransitioned(
                    work.job_id, None, JobState.COMPLETED, self._now, "all is done", "fifo"
                )
            )

    def _failed(self, event: TaskFailed) -> None:
        self._queue_up(self._release(event.worker_id, event.attempt_id))

    def _joined(self, event: WorkerJoined) -> None:
        worker = event.worker
        self._places[worker.id] = place = Place(worker.capacity, worker.capacity.gpu_sessions > 0)
        self._rooms.setdefault((place.has_gpu, place.free), {})[worker.id] = None

    def _lost(self, event: WorkerLost) -> None:
        for attempt_id in tuple(self._places[event.worker_id].work):
            self._queue_up(self._release(event.worker_id, attempt_id))
        place = self._places.pop(event.worker_id)
        self._unlist(event.worker_id, place)
        self._synced.pop(event.worker_id, None)

    # ---------------------------------------------------------------- where it goes

    def _place_all(self) -> int:
        """Place the head of the queue, as long as it finds room; returns how many."""
        placed = 0
        while self._queue:
            work = self._queue[0][2]
            found = self._room_for(work)
            if found is None:
                break
            heappop(self._queue)
            self._place(work, *found)
            placed += 1
        return placed

    def _room_for(self, work: Work) -> tuple[WorkerId, Requirement] | None:
        for requirement in work.new.needs.alternatives:
            rooms = [
                (astuple(room), has_gpu)
                for has_gpu, room in self._rooms
                if has_gpu == (requirement.resources.gpu_sessions > 0)
                and requirement.resources.within(room)
            ]
            if rooms:
                room, has_gpu = min(rooms)
                return next(iter(self._rooms[has_gpu, Resources(*room)])), requirement
        return None

    def _place(self, work: Work, worker_id: WorkerId, grant: Requirement) -> None:
        work.tries += 1
        attempt = Attempt(
            id=f"{work.id}-1-{work.tries}",
            task_id=work.id,
            job_id=work.job_id,
            number=work.tries,
            worker_id=worker_id,
            grant=grant,
            placed_at=self._now,
        )
        place = self._places[worker_id]
        place.work[attempt.id] = (work, grant)
        self._set_free(worker_id, place, place.free - grant.resources)
        self._changes.append(AttemptAdded(attempt))
        self._synced[worker_id] = None

    def _release(self, worker_id: WorkerId, attempt_id: AttemptId) -> Work:
        place = self._places[worker_id]
        work, grant = place.work.pop(attempt_id)
        self._set_free(worker_id, place, place.free + grant.resources)
        self._synced[worker_id] = None
        return work

    def _set_free(self, worker_id: WorkerId, place: Place, free: Resources) -> None:
        self._unlist(worker_id, place)
        place.free = free
        self._rooms.setdefault((place.has_gpu, free), {})[worker_id] = None

    def _unlist(self, worker_id: WorkerId, place: Place) -> None:
        workers = self._rooms[place.has_gpu, place.free]
        del workers[worker_id]
        if not workers:
            del self._rooms[place.has_gpu, place.free]
