"""Which ready task is next. Says nothing of where it goes.

Ready tasks stand in one lane for each shape of needs. A decision looks at the heads of lanes
only, so a task whose needs no worker meets holds up its own lane and no other.
"""

from __future__ import annotations

from collections.abc import Iterator

from ffrtmp_ray.core.accounts import Accounts
from ffrtmp_ray.core.lane import Lane, turn_of
from ffrtmp_ray.core.model import Job, Needs, Task
from ffrtmp_ray.core.rooms import Kind, fits_any
from ffrtmp_ray.core.vector import Room


class ReadyQueue:
    """All tasks that may start now, by shape of needs."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self.overdue_from = 0.0
        """Before this moment, no task has waited too long."""
        self._lanes: dict[Needs, Lane] = {}
        self._shapes: dict[Needs, Needs] = {}
        self._stirred: dict[Lane, None] = {}
        self._fitting: dict[tuple[Kind, Room], tuple[Lane, ...]] = {}
        """As found since a lane was added or removed."""

    def __iter__(self) -> Iterator[Lane]:
        return (lane for lane in self._lanes.values() if lane.turns)

    def shape(self, needs: Needs) -> Needs:
        """Each shape of needs as one object, however many tasks have it: of a million queued
        tasks, they would take half of the memory, and are compared often."""
        if len(self._shapes) > _MOST_SHAPES:
            self._shapes.clear()
        return self._shapes.setdefault(needs, needs)

    def push(self, task: Task, job: Job, position: int, now: float) -> None:
        lane = self._lanes.get(task.needs)
        if lane is None:
            lane = self._add(task.needs)
        lane.push(turn_of(task, job, position), now, urgent=job.urgent)
        self._stirred[lane] = None

    def _add(self, needs: Needs) -> Lane:
        if len(self._lanes) > _MOST_EMPTY:
            for lane in [each for each in self._lanes.values() if not each.turns]:
                del self._lanes[lane.needs]
                self._stirred.pop(lane, None)
        lane = self._lanes[needs] = Lane(needs, self.accounts)
        self._fitting.clear()
        return lane

    def discard(self, task: Task) -> None:
        lane = self._lanes.get(task.needs)
        if lane is not None:
            lane.discard(task.id)

    def placed(self, task: Task, now: float) -> None:
        """A task that stood here was placed."""
        lane = self._lanes.get(task.needs)
        if lane is not None:
            lane.pace.mark(now)

    def unpromise(self, task: Task, job: Job, now: float) -> None:
        lane = self._lanes[task.needs]
        lane.unpromise(task.id, now, urgent=job.urgent)
        self._stirred[lane] = None

    def resume(self, owner: str, now: float) -> None:
        """An owner that had all that it may have may have more."""
        for lane in self:
            lane.resume(owner, now)
            self._stirred[lane] = None

    def lane_of(self, task: Task) -> Lane | None:
        """The lane in which `task` stands, if it is among those that may start."""
        lane = self._lanes.get(task.needs)
        return lane if lane is not None and task.id in lane.turns else None

    def stirred(self) -> dict[Lane, None]:
        """The lanes that have got a task, or an unpromised one, since this was last asked."""
        stirred, self._stirred = self._stirred, {}
        return stirred

    def fitting(self, kind: Kind, room: Room) -> tuple[Lane, ...]:
        """The lanes, empty ones included, whose needs a worker of this kind and room meets."""
        found = self._fitting.get((kind, room))
        if found is None:
            if len(self._fitting) > _MOST_ROOMS:
                self._fitting.clear()
            lanes = self._lanes.values()
            found = tuple(lane for lane in lanes if fits_any(lane.asked, kind, room))
            self._fitting[kind, room] = found
        return found


_MOST_EMPTY = 256
"""Lanes, before the empty ones among them are removed: shapes of needs come back."""
_MOST_ROOMS = 4096
_MOST_SHAPES = 1024
