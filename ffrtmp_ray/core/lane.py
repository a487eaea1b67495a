"""The ready tasks of one shape of needs, in their order: by queue, priority, fair share, then age.

Each owner's tasks of one class stand in one line; the owners of a class stand by their virtual
times. Says nothing of where a task goes.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush, heapreplace
from itertools import islice
from typing import NamedTuple, TypeAlias

from ffrtmp_ray.core.accounts import Account, Accounts
from ffrtmp_ray.core.model import Job, Needs, Priority, Queue, Task, TaskId
from ffrtmp_ray.core.pace import Rate
from ffrtmp_ray.core.placement import Claim
from ffrtmp_ray.core.rooms import Asked, asked

_QUEUES = {queue: rank for rank, queue in enumerate(Queue)}
_PRIORITIES = {priority: rank for rank, priority in enumerate(Priority)}
_RANKS = {
    (queue, priority): _QUEUES[queue] * len(_PRIORITIES) + _PRIORITIES[priority]
    for queue in Queue
    for priority in Priority
}
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


class Head(NamedTuple):
    """The next task of a lane; the smaller goes first. Promised ones go first in their class."""

    rank: int
    served: float
    """The virtual time of its owner; below 0 for a promised one."""
    order: int
    position: int
    task_id: TaskId


@dataclass(slots=True, eq=False)
class Line:
    """The tasks of one owner and class in a lane that have been promised nothing."""

    account: Account
    heap: list[Turn] = field(default_factory=list)
    entry: Entry | None = None
    """The one entry of its class's heap that stands for it now."""


Entry: TypeAlias = tuple[float, int, str, Line]
"""Virtual time and order of a line's first task when they were last looked at: a lower bound,
since both only grow; the owner decides between equals."""


@dataclass(slots=True, eq=False)
class Class:
    """The lines of one class in a lane."""

    lines: dict[str, Line] = field(default_factory=dict)
    heap: list[Entry] = field(default_factory=list)

    def stand(self, line: Line, served: float) -> None:
        """Have `line` stand where its first task belongs."""
        entry = (served, line.heap[0].order, line.account.owner, line)
        line.entry = entry
        heappush(self.heap, entry)


class Leader(NamedTuple):
    """The first task of a class that has been promised nothing."""

    known: Class
    entry: Entry
    """Of its line, up to date."""
    turn: Turn


def _head(turn: Turn, served: float) -> Head:
    return Head(turn.rank, served, turn.order, turn.position, turn.task_id)


@dataclass(slots=True, eq=False)
class Lane:
    """The ready tasks of one shape of needs, in their order.

    A task that has been promised room (see `placement`) stays in the lane, so that it takes
    other room that comes free sooner, but asks for no more promises. Heaps are cleaned lazily.
    """

    needs: Needs
    accounts: Accounts
    asked: Asked = ()
    turns: dict[TaskId, Turn] = field(default_factory=dict)
    """Of all tasks in the lane."""
    promised: dict[TaskId, Turn] = field(default_factory=dict)
    pace: Rate = field(default_factory=Rate)
    """At which its tasks are placed."""
    bound: Head | None = None
    """The head as it was last found, which the present one does not go before; None if that is
    not known."""
    reserve_after: float = 0.0
    """No worker is kept free for a task of this lane before."""
    _classes: dict[int, Class] = field(default_factory=dict)
    _ranks: list[int] = field(default_factory=list)
    """Of the classes, the first of them first."""
    _urgent: list[Turn] = field(default_factory=list)
    """The urgent ones once more."""
    _promised: list[Turn] = field(default_factory=list)
    _ages: list[tuple[float, Turn]] = field(default_factory=list)
    """Those outside the live classes once more, the longest-waiting first."""
    _leader: Leader | None = None
    """What made `bound`, where that is no promised one."""
    _left: int = 0
    """Tasks that have left the lane since its heaps were cleaned."""

    def __post_init__(self) -> None:
        self.asked = asked(self.needs)

    def push(self, turn: Turn, now: float, *, urgent: bool) -> None:
        account = self.accounts.begin(turn.owner, now)
        account.ready += 1
        self.turns[turn.task_id] = turn
        self._line_up(turn, account, now)
        if urgent:
            heappush(self._urgent, turn)
        if turn.rank >= LIVE_RANKS:
            heappush(self._ages, (turn.ready_at, turn))

    def _line_up(self, turn: Turn, account: Account, now: float) -> None:
        rank = turn.rank
        known = self._classes.get(rank)
        if known is None:
            known = self._classes[rank] = Class()
            insort(self._ranks, rank)
        line = known.lines.get(turn.owner)
        if line is None:
            line = known.lines[turn.owner] = Line(account)
        line.account = account  # an idle one may have been forgotten since
        heappush(line.heap, turn)
        if not account.full and (line.entry is None or self._first(line) is turn):
            known.stand(line, account.served(now))
        self.bound = None

    def discard(self, task_id: TaskId) -> None:
        turn = self.turns.pop(task_id, None)
        if turn is None:
            return
        account = self.accounts.of(turn.owner)
        account.ready -= 1
        if self.promised.pop(task_id, None) is not None:
            account.promised -= 1
        self._left += 1
        if self._left > len(self.turns) + 64:
            self._clean()

    def _clean(self) -> None:
        self._left = 0
        for known in self._classes.values():
            for line in known.lines.values():
                line.heap = [turn for turn in line.heap if self._is_open(turn)]
                heapify(line.heap)
        self._urgent = [turn for turn in self._urgent if self._stands(turn)]
        heapify(self._urgent)
        self._ages = [each for each in self._ages if self._stands(each[1])]
        heapify(self._ages)

    def promise(self, task_id: TaskId) -> None:
        turn = self.promised[task_id] = self.turns[task_id]
        self.accounts.of(turn.owner).promised += 1
        heappush(self._promised, turn)
        self.bound = None

    def unpromise(self, task_id: TaskId, now: float, *, urgent: bool) -> None:
        turn = self.promised.pop(task_id)
        account = self.accounts.of(turn.owner)
        account.promised -= 1
        self._line_up(turn, account, now)
        if urgent:
            heappush(self._urgent, turn)

    def resume(self, owner: str, now: float) -> None:
        """Have an owner's lines stand again that were left out because it had all it may."""
        for known in self._classes.values():
            line = known.lines.get(owner)
            if line is not None and self._first(line) is not None and line.entry is None:
                known.stand(line, line.account.served(now))
        self.bound = None

    # ---------------------------------------------------------------- look-ups

    def head(self, now: float) -> Head | None:
        """The next of all."""
        if self.bound is not None and self._is_first_still(now):
            return self.bound
        promised = self._first_promised() if self._promised else None
        leader = self._first_open(now)
        if promised is not None and (leader is None or promised.rank <= leader.turn.rank):
            self._leader, self.bound = None, _head(promised, -1.0)
        else:
            self._leader = leader
            self.bound = None if leader is None else _head(leader.turn, leader.entry[0])
        return self.bound

    def first_open(self, now: float) -> TaskId | None:
        """The next of those that have been promised nothing."""
        leader = self._first_open(now)
        return None if leader is None else leader.turn.task_id

    def first_urgent(self) -> TaskId | None:
        """The next of the urgent ones that have been promised nothing, by class and age."""
        while self._urgent and not self._is_open(self._urgent[0]):
            heappop(self._urgent)
        for turn in islice(self._urgent, MOST_URGENT_SEEN):
            if self._is_open(turn) and not self.accounts.of(turn.owner).full:
                return turn.task_id
        return None

    def oldest(self) -> Turn | None:
        """The longest-waiting outside the live classes that has been promised nothing."""
        while self._ages and not self._is_open(self._ages[0][1]):
            turn = heappop(self._ages)[1]
            if turn.task_id in self.promised:
                return None  # it has all that a turn could give it
        return self._ages[0][1] if self._ages else None

    def makes(self, claim: Claim) -> bool:
        """Whether a task of it may have this claim; every task has the weaker ones."""
        if claim <= Claim.IDLE or (self._ranks and self._ranks[0] < LIVE_RANKS):
            return True
        return claim is Claim.URGENT and self.first_urgent() is not None

    def ahead_of(self, task_id: TaskId, limit: int) -> int:
        """About how many tasks of the lane go before one in it; looks at `limit` of its line."""
        mine = self.turns[task_id]
        total = 0
        for rank, known in self._classes.items():
            if rank < mine.rank:
                total += sum(len(line.heap) for line in known.lines.values())
            elif rank == mine.rank:
                total += self._ahead_in(known, mine, limit)
        return total

    def _ahead_in(self, known: Class, mine: Turn, limit: int) -> int:
        """By the time that an owner gets so many, each other one gets as many by its weight."""
        line = known.lines.get(mine.owner)
        if line is None:
            return 0
        own = sum(turn < mine and self._is_open(turn) for turn in islice(line.heap, limit))
        pace = (own + 1) / line.account.policy.weight
        others = (each for each in known.lines.values() if each is not line)
        return own + sum(
            min(len(each.heap), int(pace * each.account.policy.weight)) for each in others
        )

    def _first_open(self, now: float) -> Leader | None:
        for rank in tuple(self._ranks):
            known = self._classes[rank]
            found = self._first_in(known, now)
            if found is not None:
                return found
            if not known.lines:
                del self._classes[rank]
                self._ranks.remove(rank)
        return None

    def _first_in(self, known: Class, now: float) -> Leader | None:
        heap = known.heap
        while heap:
            entry = heap[0]
            line = entry[3]
            if line.entry is not entry:
                heappop(heap)
                continue
            turn, account = self._first(line), line.account
            if turn is None or account.full:
                heappop(heap)
                line.entry = None
                if turn is None:
                    del known.lines[account.owner]
                continue
            served = account.served(now)
            if served == entry[0] and turn.order == entry[1]:
                return Leader(known, entry, turn)
            line.entry = fresh = (served, turn.order, account.owner, line)
            heapreplace(heap, fresh)
            if heap[0] is fresh:
                return Leader(known, fresh, turn)
        return None

    def _first(self, line: Line) -> Turn | None:
        heap = line.heap
        while heap and not self._is_open(heap[0]):
            heappop(heap)
        return heap[0] if heap else None

    def _is_first_still(self, now: float) -> bool:
        """Whether the head as it was last found needs no more than this look."""
        if self._leader is None:
            return False
        known, entry, turn = self._leader
        line = entry[3]
        return (
            line.entry is entry
            and known.heap[0] is entry
            and self._is_open(turn)  # so its line is not empty
            and line.heap[0] is turn
            and not line.account.full
            and line.account.served(now) == entry[0]
        )

    def _first_promised(self) -> Turn | None:
        heap = self._promised
        while heap and self.promised.get(heap[0].task_id) is not heap[0]:
            heappop(heap)
        return heap[0] if heap else None

    def _stands(self, turn: Turn) -> bool:
        return self.turns.get(turn.task_id) is turn

    def _is_open(self, turn: Turn) -> bool:
        return self.turns.get(turn.task_id) is turn and turn.task_id not in self.promised
