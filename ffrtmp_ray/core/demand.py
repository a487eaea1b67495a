"""What waits for room that the farm has not. Pure reads, with a bounded cost."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from ffrtmp_ray.core.model import Needs
from ffrtmp_ray.core.state import State

MOST_SEEN = 10_000
"""Ready tasks that are looked at: more machines than these ask for, nobody has."""


def unmet(state: State, since: float) -> tuple[Needs, ...]:
    """The needs of tasks that have been ready since then and wait for room.

    Left out are those that more machines would not help: what has been promised room, and what its
    owner may not have on workers beside what it has.
    """
    return tuple(islice(_unmet(state, since), MOST_SEEN))


def _unmet(state: State, since: float) -> Iterator[Needs]:
    counted: dict[str, int] = {}
    for lane in state.queue:
        for turn in islice(lane.turns.values(), MOST_SEEN):
            if turn.ready_at > since or turn.task_id in lane.promised:
                continue
            left = state.accounts.of(turn.owner).left
            count = counted[turn.owner] = counted.get(turn.owner, 0) + 1
            if left is None or count <= left:
                yield lane.needs
