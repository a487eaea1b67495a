"""Whose turn it is in a class, and with which task: fair share, then age.

The owners of a class stand in one order for all lanes, so that an owner that has had something
moves once, however many shapes its tasks have. A set of lanes is an integer of their bits.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias

from ffrtmp_ray.core.accounts import Account
from ffrtmp_ray.core.lane import Lane, Turn

Lanes: TypeAlias = int
"""A set of lanes: the sum of their bits."""


@dataclass(slots=True, eq=False)
class Line:
    """The tasks of one owner and class in one lane that have been promised nothing.

    Nearly all come in their order and leave in it, so a sorted list is cheaper than a heap: in a
    long queue, a heap compares a dozen tasks that nothing has looked at for hours.
    """

    lane: Lane
    turns: list[Turn]
    """In their order, from `start` on. The first of them stands in the lane, others may have left
    it."""
    start: int = 0
    gone: int = 0
    """Of those from `start` on, such as have left."""

    def __len__(self) -> int:
        return len(self.turns) - self.start - self.gone

    @property
    def first(self) -> Turn:
        return self.turns[self.start]

    def add(self, turn: Turn) -> None:
        turns, start = self.turns, self.start
        if turn > turns[-1]:
            turns.append(turn)
        elif start and turn < turns[start]:
            turns[start - 1] = turn
            self.start -= 1
        else:
            insort(turns, turn, lo=start)

    def pop(self) -> None:
        """Take the first one out."""
        turns = self.turns
        self.start += 1
        while self.gone and self.start < len(turns) and not self.lane.is_open(turns[self.start]):
            self.start += 1
            self.gone -= 1
        if self.start > _MOST_LEFT and self.start * 2 > len(turns):
            del turns[: self.start]
            self.start = 0

    def forget_one(self) -> None:
        """One that is not the first has left."""
        self.gone += 1
        if self.gone > len(self) + _MOST_LEFT:
            self.turns = [turn for turn in self.turns[self.start :] if self.lane.is_open(turn)]
            self.start = self.gone = 0


_MOST_LEFT = 16
"""Turns that a short line may hold of tasks that have left it."""


@dataclass(slots=True, eq=False)
class Share:
    """The tasks of one owner in one class that have been promised nothing."""

    account: Account
    lanes: Lanes = 0
    lines: dict[Lane, Line] = field(default_factory=dict)
    heads: list[tuple[Turn, int, Line]] = field(default_factory=list)
    """The first of each line with its lane's bit, in their order."""
    entry: Entry | None = None
    """What stands for it in its class's order; None while its owner has all that it may."""

    def add(self, lane: Lane, turn: Turn) -> None:
        line = self.lines.get(lane)
        if line is None:
            line = self.lines[lane] = Line(lane, [turn])
            self.lanes |= lane.bit
        else:
            first = line.first
            line.add(turn)
            if line.first is not turn:
                return
            self._unlist(first, lane.bit)
        insort(self.heads, (turn, lane.bit, line))

    def take(self, lane: Lane, turn: Turn) -> None:
        """Take a task out that the lane has let go of, or has promised something."""
        line = self.lines[lane]
        if line.turns[line.start] is not turn:
            line.forget_one()
            return
        self._unlist(turn, lane.bit)
        line.pop()
        if line.start < len(line.turns):
            insort(self.heads, (line.turns[line.start], lane.bit, line))
        else:
            del self.lines[lane]
            self.lanes ^= lane.bit

    def _unlist(self, turn: Turn, bit: int) -> None:
        del self.heads[bisect_left(self.heads, (turn, bit))]

    def first(self, lanes: Lanes) -> tuple[Lane, Turn]:
        """The oldest in some of `lanes`; there must be one."""
        for turn, bit, line in self.heads:
            if bit & lanes:
                return line.lane, turn
        raise LookupError("no line of this owner stands in these lanes")


Entry: TypeAlias = tuple[float, int, str, Share]
"""Virtual time of an owner when it was last looked at, a lower bound since it only grows; the
place in submission of its oldest task then; the owner, who decides between equals."""


@dataclass(slots=True, eq=False)
class Class:
    """The shares of one class."""

    lanes: Lanes = 0
    """No lane but these has a task of it; some of these may have none."""
    shares: dict[str, Share] = field(default_factory=dict)
    promised: list[tuple[Turn, Lane]] = field(default_factory=list)
    """Tasks that have been promised room, in their order."""
    _order: list[Entry] = field(default_factory=list)

    def add(self, lane: Lane, turn: Turn, account: Account, now: float) -> None:
        share = self.shares.get(turn.owner)
        if share is None:
            share = self.shares[turn.owner] = Share(account)
        share.add(lane, turn)
        self.lanes |= lane.bit
        if share.entry is None:
            self.stand(share, now)
        elif turn.order < share.entry[1]:
            self._step_out(share)
            self.stand(share, now)

    def take(self, lane: Lane, turn: Turn) -> None:
        share = self.shares[turn.owner]
        share.take(lane, turn)
        if not share.lanes:
            self._step_out(share)
            del self.shares[turn.owner]

    def stand(self, share: Share, now: float) -> None:
        """Have a share stand where it belongs, if its owner may have more."""
        if not share.account.full:
            account = share.account
            share.entry = (account.served(now), share.heads[0][0].order, account.owner, share)
            insort(self._order, share.entry)

    def _step_out(self, share: Share) -> None:
        if share.entry is not None:
            del self._order[bisect_left(self._order, share.entry)]
            share.entry = None

    def first(self, lanes: Lanes, now: float) -> tuple[Lane, Turn] | None:
        """The next in some of `lanes`; promised ones go first."""
        for turn, lane in self.promised:
            if lane.bit & lanes:
                return lane, turn
        return self.first_open(lanes, now)

    def first_open(self, lanes: Lanes, now: float) -> tuple[Lane, Turn] | None:
        """The next in some of `lanes` of those that have been promised nothing."""
        if not self.lanes & lanes:
            return None
        order, place = self._order, 0
        while place < len(order):
            entry = order[place]
            share = entry[3]
            if not share.lanes & lanes:
                place += 1
            elif share.account.full:
                share.entry = None
                del order[place]
            elif share.account.served(now) == entry[0] and share.heads[0][0].order == entry[1]:
                return share.first(lanes)
            else:
                del order[place]
                self.stand(share, now)
        self.lanes &= ~lanes
        return None

    def ahead_of(self, lane: Lane, turn: Turn, limit: int) -> int:
        """About how many tasks of `lane` go before one of this class; looks at `limit` of its
        line. By the time that an owner gets so many, each other one gets as many by its weight."""
        share = self.shares.get(turn.owner)
        line = None if share is None else share.lines.get(lane)
        if share is None or line is None:
            return 0
        own = sum(
            other < turn and lane.is_open(other)
            for other in islice(line.turns, line.start, line.start + limit)
        )
        pace = (own + 1) / share.account.policy.weight
        return own + sum(
            min(len(other.lines[lane]), int(pace * other.account.policy.weight))
            for other in self.shares.values()
            if other is not share and lane in other.lines
        )

    def count(self, lane: Lane) -> int:
        """Tasks in `lane` that have been promised nothing."""
        return sum(len(each.lines[lane]) for each in self.shares.values() if lane in each.lines)
