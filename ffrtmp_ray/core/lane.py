"""The ready tasks of one shape of needs: which are there, which have been promised room, which
are urgent or have waited longest. Says nothing of whose turn it is (see `shares`) or where a task
goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import NamedTuple

from ffrtmp_ray.core.accounts import Accounts
from ffrtmp_ray.core.model import Job, Needs, Priority, Queue, Task, TaskId
from ffrtmp_ray.core.pace import Rate
from ffrtmp_ray.core.rooms import Asked, asked

_QUEUES = {queue: rank for rank, queue in enumerate(Queue)}
_PRIORITIES = {priority: rank for rank, priority in enumerate(Priority)}
_RANKS = {
    (queue, priority): _QUEUES[queue] * len(_PRIORITIES) + _PRIORITIES[priority]
    for queue in Queue
    for priority in Priority
}
CLASSES = len(_RANKS)
LIVE_RANKS = len(Priority)
"""The classes below this one are live."""
MOST_URGENT_SEEN = 16
"""Urgent tasks that are looked at to find one whose owner may have more."""


def class_rank(job: Job) -> int:
    """0 (live, high) to 8 (batch, low): the lower goes first."""
    return _RANKS[job.queue, job.priority]


class Turn(NamedTuple):
    """A ready task's place among those of its owner and class; the smaller goes first. No part
    of it ever changes."""

    rank: int
    """Of its class: see `class_rank`."""
    order: int
    """Of the job's submission."""
    position: int
    """Of the task in its job."""
    task_id: TaskId
    owner: str
    ready_at: float


def turn_of(task: Task, job: Job, position: int) -> Turn:
    ready_at = job.submitted_at if task.ready_at is None else task.ready_at
    return Turn(class_rank(job), job.order, position, task.id, job.owner, ready_at)


@dataclass(slots=True, eq=False)
class Lane:
    """The ready tasks of one shape of needs.

    A task that has been promised room (see `placement`) stays in the lane, so that it takes
    other room that comes free sooner, but asks for no more promises. Heaps are cleaned lazily.
    """

    needs: Needs
    bit: int
    """One bit, its own: a set of lanes is an integer."""
    accounts: Accounts
    asked: Asked = ()
    turns: dict[TaskId, Turn] = field(default_factory=dict)
    """Of all tasks in the lane."""
    promised: dict[TaskId, Turn] = field(default_factory=dict)
    pace: Rate = field(default_factory=Rate)
    """At which its tasks are placed."""
    reserve_after: float = 0.0
    """No worker is kept free for a task of this lane before."""
    _urgent: list[Turn] = field(default_factory=list)
    """The urgent ones once more."""
    _ages: list[tuple[float, Turn]] = field(default_factory=list)
    """Those outside the live classes once more, the longest-waiting first."""
    _left: int = 0
    """Tasks that have left the lane since its heaps were cleaned."""
    _of_class: list[int] = field(default_factory=lambda: [0] * CLASSES)
    """How many tasks of each class are in the lane."""

    def __post_init__(self) -> None:
        self.asked = asked(self.needs)

    def add(self, turn: Turn, *, urgent: bool) -> None:
        self.turns[turn.task_id] = turn
        self._of_class[turn.rank] += 1
        if urgent:
            heappush(self._urgent, turn)
        if turn.rank >= LIVE_RANKS:
            heappush(self._ages, (turn.ready_at, turn))

    def remove(self, turn: Turn) -> None:
        del self.turns[turn.task_id]
        self._of_class[turn.rank] -= 1
        self.promised.pop(turn.task_id, None)
        self._left += 1
        if self._left > len(self.turns) + 64:
            self._clean()

    def _clean(self) -> None:
        self._left = 0
        self._urgent = [turn for turn in self._urgent if self._stands(turn)]
        heapify(self._urgent)
        self._ages = [each for each in self._ages if self._stands(each[1])]
        heapify(self._ages)

    def waiting(self, rank: int) -> int:
        """How many are here of that class, and of those that go before it."""
        return sum(self._of_class[: rank + 1])

    def is_open(self, turn: Turn) -> bool:
        """Whether it stands here and has been promised nothing."""
        return self.turns.get(turn.task_id) is turn and turn.task_id not in self.promised

    @property
    def may_have_urgent(self) -> bool:
        """Whether an urgent task may stand here, be it promised room or not."""
        return bool(self._urgent)

    def first_urgent(self) -> TaskId | None:
        """The next of the urgent ones that have been promised nothing, by class and age."""
        while self._urgent and not self.is_open(self._urgent[0]):
            heappop(self._urgent)
        for turn in islice(self._urgent, MOST_URGENT_SEEN):
            if self.is_open(turn) and not self.accounts.of(turn.owner).full:
                return turn.task_id
        return None

    def oldest(self) -> Turn | None:
        """The longest-waiting outside the live classes that has been promised nothing."""
        while self._ages and not self.is_open(self._ages[0][1]):
            turn = heappop(self._ages)[1]
            if turn.task_id in self.promised:
                return None  # it has all that a turn could give it
        return self._ages[0][1] if self._ages else None

    def _stands(self, turn: Turn) -> bool:
        return self.turns.get(turn.task_id) is turn
