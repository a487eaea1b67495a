"""The hand that breaks things: seeded, one or two blows at a time, and a stopwatch after each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ffrtmp_ray.errors import Unavailable
from tests.chaos.farm import ChaosFarm
from tests.chaos.faults import KINDS, Blow, Condition, Kind
from tests.chaos.work import Work

REST_SECONDS = (0.3, 2.0)
"""Between two turns."""
DOUBLE = 0.25
"""Share of the turns in which two blows fall at once."""
PATIENCE_SECONDS = 90.0
"""A farm that has not recovered by then does not."""
LOOK_SECONDS = 0.02
AGAIN_SECONDS = 0.1


@dataclass
class Record:
    """A blow that has fallen."""

    kind: str
    what: str
    at: float
    """Seconds since 1970."""
    alone: bool
    """No other fell with it."""
    workers: frozenset[str]
    attempts: frozenset[str]
    seconds: dict[str, float | None] = field(default_factory=dict)
    """From the blow to each milestone; None: not reached."""


class Hand:
    """`tell` is called with each blow when the farm has recovered from it."""

    def __init__(
        self,
        farm: ChaosFarm,
        work: Work,
        rng: random.Random,
        *,
        kinds: Mapping[Kind, int] = KINDS,
        tell: Callable[[Record], None],
    ) -> None:
        self.records: list[Record] = []
        self._farm = farm
        self._work = work
        self._rng = rng
        self._tell = tell
        self._kinds = kinds
        self._deck: list[Kind] = []

    def strike_until(self, over: Condition) -> None:
        """Strike, wait for the farm to recover, rest; again until `over` or it does not recover."""
        while not over():
            blows = self._choose(2 if self._rng.random() < DOUBLE else 1)
            if not blows:
                time.sleep(AGAIN_SECONDS)  # nothing can be struck at this moment
                continue
            records = self._strike(blows)
            self.records += records
            for record in records:
                self._tell(record)
            if any(seconds is None for r in records for seconds in r.seconds.values()):
                return
            time.sleep(self._rng.uniform(*REST_SECONDS))

    def _choose(self, count: int) -> list[Blow]:
        """The next cards of a shuffled deck that have a target; the others wait in it."""
        if len(self._deck) < count:
            fresh = [kind for kind, times in self._kinds.items() for _ in range(times)]
            self._rng.shuffle(fresh)
            self._deck += fresh
        blows: list[Blow] = []
        for kind in list(self._deck):
            if len(blows) == count:
                break
            if any(blow.kind == kind.__name__ for blow in blows):
                continue
            blow = self._farm.asked(lambda kind=kind: kind(self._farm, self._work, self._rng))
            if blow is not None:
                self._deck.remove(kind)
                blows.append(blow)
        return blows

    def _strike(self, blows: list[Blow]) -> list[Record]:
        records = []
        for blow in blows:
            alone = len(blows) == 1
            records.append(
                Record(blow.kind, blow.what, time.time(), alone, blow.workers, blow.attempts)
            )
            blow.strike()
        with ThreadPoolExecutor() as watchers:
            watches = [
                watchers.submit(_watch, record, name, condition)
                for blow, record in zip(blows, records, strict=True)
                for name, condition in blow.milestones.items()
            ]
            for blow in blows:
                blow.meanwhile()
        for watch in watches:
            watch.result()  # raises what a condition has raised
        for blow in blows:
            blow.then()
        return records


def _watch(record: Record, name: str, condition: Condition) -> None:
    """Note in `record` when `condition` is met."""
    record.seconds[name] = None
    while (passed := time.time() - record.at) < PATIENCE_SECONDS:
        try:
            if condition():
                record.seconds[name] = round(time.time() - record.at, 2)
                return
        except Unavailable:
            pass
        time.sleep(LOOK_SECONDS if passed < 1 else AGAIN_SECONDS)
