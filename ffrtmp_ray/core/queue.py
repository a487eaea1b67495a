"""Which ready task is next: by queue, then priority, then age. Says nothing of where it goes.

Ready tasks stand in one lane for each shape of needs. A decision looks at the heads of lanes
only, so a task whose needs no worker meets holds up its own lane and no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from ffrtmp_ray.core.model import Job, Needs, Priority, Queue, Task, TaskId

_QUEUES = {queue: rank for rank, queue in enumerate(Queue)}
_PRIORITIES = {priority: rank for rank, priority in enumerate(Priority)}


def class_rank(job: Job) -> int:
    """0 (live, high) to 8 (batch, low): the lower goes first."""
    return _QUEUES[job.queue] * len(_PRIORITIES) + _PRIORITIES[job.priority]


class Turn(NamedTuple):
    """A ready task's place in the order; the smaller goes first. No part of it ever changes.

    Fair share between owners will be one more part, after `rank`: a virtual start time.
    """

    rank: int
    """Of its class: see `class_rank`."""
    order: int
    """Of the job's submission."""
    position: int
    """Of the task in its job."""
    task_id: TaskId


def turn_of(task: Task, job: Job, position: int) -> Turn:
    return Turn(class_rank(job), job.order, position, task.id)


@dataclass(slots=True, eq=False)
class Lane:
    """The ready tasks of one shape of needs, in their order.

    A task that has been promised room (see `placement`) stays in the lane, so that it takes
    other room that comes free sooner, but asks for no more promises. Heaps are cleaned lazily.
    """

    needs: Needs
    turns: dict[TaskId, Turn] = field(default_factory=dict)
    """Of all tasks in the lane."""
    promised: dict[TaskId, Turn] = field(default_factory=dict)
    _heap: list[Turn] = field(default_factory=list)
    _urgent: list[Turn] = field(default_factory=list)
    """The urgent ones of the heap once more."""
    _promised: list[Turn] = field(default_factory=list)

    def push(self, turn: Turn, *, urgent: bool) -> None:
        self.turns[turn.task_id] = turn
        heappush(self._heap, turn)
        if urgent:
            heappush(self._urgent, turn)

    def discard(self, task_id: TaskId) -> None:
        self.turns.pop(task_id, None)
        self.promised.pop(task_id, None)
        if len(self._heap) > 2 * len(self.turns) + 64:
            for heap in (self._heap, self._urgent):
                heap[:] = [turn for turn in heap if self._is_open(turn)]
                heapify(heap)

    def promise(self, task_id: TaskId) -> None:
        turn = self.promised[task_id] = self.turns[task_id]
        heappush(self._promised, turn)

    def unpromise(self, task_id: TaskId, *, urgent: bool) -> None:
        self.push(self.promised.pop(task_id), urgent=urgent)

    def head(self) -> Turn | None:
        """The next of all."""
        while self._promised and self._promised[0].task_id not in self.promised:
            heappop(self._promised)
        heads = [*self._promised[:1], *_some(self.first_open())]
        return min(heads, default=None)

    def first_open(self) -> Turn | None:
        """The next of those that have been promised nothing."""
        return self._top(self._heap)

    def first_urgent(self) -> Turn | None:
        """The next of the urgent ones that have been promised nothing."""
        return self._top(self._urgent)

    def ahead_of(self, task_id: TaskId, limit: int) -> int:
        """How many tasks of the lane go before one in it; looks at `limit` of them at most."""
        mine = self.turns[task_id]
        looked_at = zip(range(limit), self.turns.values(), strict=False)
        return sum(1 for _, turn in looked_at if turn < mine)

    def _top(self, heap: list[Turn]) -> Turn | None:
        while heap and not self._is_open(heap[0]):
            heappop(heap)
        return heap[0] if heap else None

    def _is_open(self, turn: Turn) -> bool:
        return turn.task_id in self.turns and turn.task_id not in self.promised


def _some(turn: Turn | None) -> Iterable[Turn]:
    return () if turn is None else (turn,)


class ReadyQueue:
    """All tasks that may start now, by shape of needs."""

    def __init__(self) -> None:
        self._lanes: dict[Needs, Lane] = {}
        self._stirred: dict[Lane, None] = {}

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    def push(self, task: Task, job: Job, position: int) -> None:
        lane = self._lanes.get(task.needs)
        if lane is None:
            lane = self._lanes[task.needs] = Lane(task.needs)
        lane.push(turn_of(task, job, position), urgent=job.urgent)
        self._stirred[lane] = None

    def discard(self, task: Task) -> None:
        lane = self._lanes.get(task.needs)
        if lane is None:
            return
        lane.discard(task.id)
        if not lane.turns:
            del self._lanes[task.needs]
            self._stirred.pop(lane, None)

    def unpromise(self, task: Task, job: Job) -> None:
        lane = self._lanes[task.needs]
        lane.unpromise(task.id, urgent=job.urgent)
        self._stirred[lane] = None

    def lane_of(self, task: Task) -> Lane | None:
        """The lane in which `task` stands, if it is among those that may start."""
        lane = self._lanes.get(task.needs)
        return lane if lane is not None and task.id in lane.turns else None

    def stirred(self) -> list[Lane]:
        """The lanes that have got a task, or an unpromised one, since this was last asked."""
        lanes = list(self._stirred)
        self._stirred.clear()
        return lanes
