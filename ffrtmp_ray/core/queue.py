"""Which ready task is next. Says nothing of where it goes.

Ready tasks stand in one lane for each shape of needs, so that a task whose needs no worker meets
holds up its own lane and no other; whose turn it is, the shares of each class say.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from operator import itemgetter
from typing import Final

from ffrtmp_ray.core.accounts import Account, Accounts
from ffrtmp_ray.core.lane import CLASSES, LIVE_RANKS, Lane, Turn, turn_of
from ffrtmp_ray.core.model import Job, Needs, Task, TaskId
from ffrtmp_ray.core.placement import Claim
from ffrtmp_ray.core.rooms import Kind, fits_any
from ffrtmp_ray.core.shares import Class, Lanes
from ffrtmp_ray.core.vector import Room


class ReadyQueue:
    """All tasks that may start now: by queue, priority, fair share, then age."""

    def __init__(self, accounts: Accounts) -> None:
        self.accounts = accounts
        self.overdue_from = 0.0
        """Before this moment, no task has waited too long."""
        self._lanes: dict[Needs, Lane] = {}
        self._classes = tuple(Class() for _ in range(CLASSES))
        self._shapes: dict[Needs, Needs] = {}
        self._stirred: Lanes = 0
        self._urgent: Lanes = 0
        """No lane but these has an urgent task; some of these may have none."""
        self._fitting: dict[tuple[Kind, Room], Lanes] = {}
        """As found since a lane was added or removed."""

    def __iter__(self) -> Iterator[Lane]:
        return (lane for lane in self._lanes.values() if lane.turns)

    def shape(self, needs: Needs) -> Needs:
        """Each shape of needs as one object, however many tasks have it: of a million queued
        tasks, they would take half of the memory, and are compared often."""
        if len(self._shapes) > _MOST_SHAPES:
            self._shapes.clear()
        return self._shapes.setdefault(needs, needs)

    # ---------------------------------------------------------------- tasks come and go

    def push(self, task: Task, job: Job, position: int, now: float) -> None:
        lane = self._lanes.get(task.needs) or self._add(task.needs)
        account = self.accounts.begin(job.owner, now)
        account.ready += 1
        self._enter(lane, turn_of(task, job, position), account, now, urgent=job.urgent)

    def _enter(self, lane: Lane, turn: Turn, account: Account, now: float, *, urgent: bool) -> None:
        lane.add(turn, urgent=urgent)
        self._classes[turn.rank].add(lane, turn, account, now)
        self._stirred |= lane.bit
        if urgent:
            self._urgent |= lane.bit

    def _add(self, needs: Needs) -> Lane:
        if len(self._lanes) > _MOST_EMPTY:
            for lane in [each for each in self._lanes.values() if not each.turns]:
                del self._lanes[lane.needs]
        taken = sum(lane.bit for lane in self._lanes.values())
        lane = self._lanes[needs] = Lane(needs, ~taken & (taken + 1), self.accounts)
        self._fitting.clear()
        return lane

    def discard(self, task: Task) -> None:
        """Let go of a task that was placed or may not start any more, if it stands here."""
        lane = self._lanes.get(task.needs)
        turn = None if lane is None else lane.turns.get(task.id)
        if lane is None or turn is None:
            return
        account = self.accounts.of(turn.owner)
        account.ready -= 1
        self._leave(lane, turn, account)

    def _leave(self, lane: Lane, turn: Turn, account: Account) -> None:
        known = self._classes[turn.rank]
        if turn.task_id in lane.promised:
            lane.remove(turn)
            known.promised.remove((turn, lane))
            account.promised -= 1
        else:
            lane.remove(turn)
            known.take(lane, turn)

    def promise(self, task: Task) -> bool:
        """Returns whether the task stands here, so that it can be promised room."""
        lane = self.lane_of(task)
        if lane is None:
            return False
        turn = lane.promised[task.id] = lane.turns[task.id]
        known = self._classes[turn.rank]
        known.take(lane, turn)
        insort(known.promised, (turn, lane), key=itemgetter(0))
        self.accounts.of(turn.owner).promised += 1
        return True

    def unpromise(self, task: Task, job: Job, position: int, now: float) -> None:
        """Have a task that was promised room stand here like all others."""
        lane = self._lanes[task.needs]
        account = self.accounts.of(job.owner)
        self._leave(lane, lane.turns[task.id], account)
        self._enter(lane, turn_of(task, job, position), account, now, urgent=job.urgent)

    def placed(self, task: Task, now: float) -> None:
        """A task that stood here was placed."""
        lane = self._lanes.get(task.needs)
        if lane is not None:
            lane.pace.mark(now)

    def resume(self, owner: str, now: float) -> None:
        """An owner that had all that it may have may have more."""
        for known in self._classes:
            share = known.shares.get(owner)
            if share is not None:
                known.lanes |= share.lanes
                self._stirred |= share.lanes
                if share.entry is None:
                    known.stand(share, now)

    # ---------------------------------------------------------------- look-ups

    def first(self, lanes: Lanes, now: float) -> tuple[Lane, Turn] | None:
        """The next of all in some of `lanes`; promised ones go first in their class."""
        for known in self._classes:
            if known.promised or known.lanes & lanes:
                found = known.first(lanes, now)
                if found is not None:
                    return found
        return None

    def first_open(self, lane: Lane, now: float) -> TaskId | None:
        """The next in a lane of those that have been promised nothing."""
        for known in self._classes:
            found = known.first_open(lane.bit, now)
            if found is not None:
                return found[1].task_id
        return None

    def lane_of(self, task: Task) -> Lane | None:
        """The lane in which `task` stands, if it is among those that may start."""
        lane = self._lanes.get(task.needs)
        return lane if lane is not None and task.id in lane.turns else None

    def ahead_of(self, task: Task, limit: int) -> int:
        """About how many tasks of its lane go before one that stands here; looks at `limit` of
        its line."""
        lane = self._lanes[task.needs]
        turn = lane.turns[task.id]
        before = sum(known.count(lane) for known in self._classes[: turn.rank])
        return before + self._classes[turn.rank].ahead_of(lane, turn, limit)

    def stirred(self) -> Lanes:
        """The lanes that have got a task, or an unpromised one, since this was last asked."""
        stirred, self._stirred = self._stirred, 0
        return stirred

    def fitting(self, kind: Kind, room: Room) -> Lanes:
        """The lanes, empty ones included, whose needs a worker of this kind and room meets."""
        found = self._fitting.get((kind, room))
        if found is None:
            if len(self._fitting) > _MOST_ROOMS:
                self._fitting.clear()
            lanes = self._lanes.values()
            found = sum(lane.bit for lane in lanes if fits_any(lane.asked, kind, room))
            self._fitting[kind, room] = found
        return found

    def claiming(self, claim: Claim) -> Lanes:
        """The lanes of which a task may have this claim; every task has the weaker ones."""
        if claim <= Claim.IDLE:
            return _ALL
        live = 0
        for known in self._classes[:LIVE_RANKS]:
            live |= known.lanes
        urgent = self._urgent & ~live
        if urgent and claim is Claim.URGENT:
            for lane in self._lanes.values():
                if lane.bit & urgent:
                    if lane.first_urgent() is not None:
                        live |= lane.bit
                    elif not lane.may_have_urgent:
                        self._urgent ^= lane.bit
        return live


_ALL: Final[Lanes] = -1
"""Has every bit."""
_MOST_EMPTY = 256
"""Lanes, before the empty ones among them are removed: shapes of needs come back."""
_MOST_ROOMS = 4096
_MOST_SHAPES = 1024
