"""Gives ready tasks to workers until none fits: the one place where queue and room meet."""

from __future__ import annotations

from typing import Final

from ffrtmp_ray.core import yielding
from ffrtmp_ray.core.lane import LIVE_RANKS, Lane, Turn
from ffrtmp_ray.core.model import WorkerId
from ffrtmp_ray.core.placement import Claim
from ffrtmp_ray.core.shares import Lanes
from ffrtmp_ray.core.state import State

_NOW: Final = Claim.NOW


class _Open:
    """What has to be looked at: for all else, that nothing fits has been found before."""

    def __init__(self) -> None:
        self.workers: dict[WorkerId, None] = {}
        """Some of their room is free, and was not."""
        self.claims: dict[tuple[WorkerId, Claim], None] = {}
        """May find more room on that worker, but so far none beyond what is free for all."""
        self.lanes: Lanes = 0
        """They have got a task, or some claim may find more room for them."""


def dispatch(state: State) -> None:
    """Place every ready task that fits, in the order of the queue, and make room for those that
    may take the place of others."""
    to_do = _Open()
    while True:
        _look(state, to_do)
        lanes = to_do.lanes | _fitting_workers(state, to_do)
        found = state.queue.first(lanes, state.tick) if lanes else None
        if found is None:
            return
        lane, turn = found
        placed = _give_turn(state, turn) or _place(state, to_do, lane, turn)
        if not placed and not yielding.make_room(state, lane):
            to_do.lanes &= ~lane.bit
            able = state.places.count_able(lane.asked)
            state.journal.decided("no_room" if able else "unmet")


def _look(state: State, to_do: _Open) -> None:
    """Take in what has changed since the last look."""
    for worker_id in state.places.freed():
        yielding.keep_promises(state, worker_id)
    for worker_id, claims in state.places.risen().items():
        for claim in claims:
            if claim is _NOW:
                to_do.workers[worker_id] = None
            else:
                to_do.claims[worker_id, claim] = None
    for worker_id, claim in tuple(to_do.claims):
        if state.places.finds_more(worker_id, claim):
            claiming = state.queue.claiming(claim)
            if claiming:
                to_do.lanes |= claiming & _fitting(state, worker_id, claim)
            del to_do.claims[worker_id, claim]
    to_do.lanes |= state.queue.stirred()


def _fitting(state: State, worker_id: WorkerId, claim: Claim) -> Lanes:
    found = state.places.room(worker_id, claim)
    if found is None:
        return 0
    kind, room = found
    return state.queue.fitting(kind, room)


def _fitting_workers(state: State, to_do: _Open) -> Lanes:
    """The lanes that fit room which has come free."""
    lanes = 0
    for worker_id in tuple(to_do.workers):
        fitting = _fitting(state, worker_id, _NOW)
        lanes |= fitting
        if not fitting:
            del to_do.workers[worker_id]
    return lanes


def _place(state: State, to_do: _Open, lane: Lane, turn: Turn) -> bool:
    """Place the next task, one of `lane`, where there is room now."""
    # Of a lane that nothing came into, it is known that it fits no other workers.
    among = None if lane.bit & to_do.lanes else to_do.workers
    waiting = lane.waiting(turn.rank) if len(lane.asked) > 1 else 1
    found = state.places.best(lane.asked, among, waiting)
    if found is None:
        return False
    worker_id, grant = found
    state.place(state.tasks[turn.task_id], worker_id, grant)
    return True


# ---------------------------------------------------------------- turns of the longest-waiting


def _give_turn(state: State, due: Turn) -> bool:
    """Where a turn is due, and no live task is next, give it to the task that has waited longest,
    be it of any class or owner; where it fits no room that is free, keep a worker free for it."""
    policy = state.policy
    if state.placements < policy.turn_every or state.now < state.queue.overdue_from:
        return False
    if due.rank < LIVE_RANKS:
        return False
    for turn, lane in _longest_waiting(state):
        if turn.ready_at + policy.max_wait >= state.now:
            break
        if state.accounts.of(turn.owner).full:
            continue
        found = state.places.best(lane.asked)
        if found is not None:
            worker_id, grant = found
            state.place(state.tasks[turn.task_id], worker_id, grant)
        elif not yielding.reserve(state, lane, turn):
            continue
        state.placements = 0
        return True
    return False


def _longest_waiting(state: State) -> list[tuple[Turn, Lane]]:
    """The one of each lane, the longest-waiting of all first."""
    found = [(turn, lane) for lane in state.queue if (turn := lane.oldest()) is not None]
    found.sort(key=lambda each: each[0].ready_at)
    oldest = found[0][0].ready_at if found else state.now
    state.queue.overdue_from = oldest + state.policy.max_wait
    return found
