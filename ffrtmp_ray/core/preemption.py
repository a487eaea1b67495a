"""Who gives way when a task finds no room: the least loss, all on one worker. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from typing import TypeAlias

from ffrtmp_ray.core.model import AttemptId, Resources, TaskId, WorkerId

MOST_WORKERS = 64
"""How many workers are compared for one preemption, so that its cost has a bound."""


class Standing(IntEnum):
    """Who goes first, whatever it is worth."""

    PROMISED = 0
    """A task that has not been placed yet loses nothing but its promise."""
    SUSPENDED = 1
    RUNNING = 2


@dataclass(frozen=True, slots=True)
class Holder:
    """What may give way on a worker."""

    key: AttemptId | TaskId
    """The attempt, or the task that was promised room."""
    resources: Resources
    standing: Standing
    rank: int
    """Of its class (see `queue.class_rank`): the higher goes first."""
    seconds: float
    """That it has run, and that are lost."""

    @property
    def loss(self) -> Loss:
        return (self.standing, -self.rank, self.seconds)


Loss: TypeAlias = tuple[int, int, float]


def victims(
    room: Resources, wanted: Resources, holders: Iterable[Holder]
) -> tuple[Holder, ...] | None:
    """The holders that are to go so that `wanted` fits beside the rest; None if all are too few.

    `room` is what is free without them. The cheapest go first; none goes needlessly.
    """
    going: list[Holder] = []
    for holder in sorted(holders, key=lambda each: each.loss):
        if wanted.within(room):
            break
        if holder.resources.helps(wanted - room):
            going.append(holder)
            room += holder.resources
    if not wanted.within(room):
        return None
    for holder in reversed(tuple(going)):
        if wanted.within(room - holder.resources):
            going.remove(holder)
            room -= holder.resources
    return tuple(going)


def cheapest(
    plans: Iterable[tuple[WorkerId, tuple[Holder, ...] | None]],
) -> tuple[WorkerId, tuple[Holder, ...]] | None:
    """Of some ways to make room, the one that loses least; the first of equals."""
    possible = [(_cost(going), worker_id, going) for worker_id, going in plans if going is not None]
    if not possible:
        return None
    _, worker_id, going = min(possible, key=lambda plan: plan[0])
    return worker_id, going


def some(workers: Iterable[WorkerId]) -> Sequence[WorkerId]:
    return tuple(islice(workers, MOST_WORKERS))


def _cost(going: Sequence[Holder]) -> tuple[tuple[int, int], float, int]:
    """What is lost: first of all the best class among them, then seconds, then their number."""
    worst = max(((each.standing, -each.rank) for each in going), default=(-1, 0))
    return worst, sum(each.seconds for each in going), len(going)
