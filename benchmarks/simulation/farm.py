"""Workers, callers and a clock, all made up, around one decider; decides nothing itself.

It treats the decider as the cluster does: orders are the whole wanted set of a worker, reports come
one by one, a tick comes when one was asked for.
"""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from heapq import heappop, heappush
from typing import Any, Protocol

from msgspec.structs import astuple

from benchmarks.simulation.arrivals import Arrival, arrivals
from benchmarks.simulation.ledger import Ledger
from benchmarks.simulation.scenario import Scenario, speed
from ffrtmp_ray.core.messages import (
    AttemptAdded,
    Event,
    JobSubmitted,
    JobTransitioned,
    Outcome,
    Sync,
    TaskFailed,
    TaskStarted,
    TaskStopped,
    TaskSucceeded,
    Tick,
    WorkerJoined,
    WorkerLost,
)
from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Failure,
    FailureKind,
    Job,
    JobId,
    JobState,
    Needs,
    NewTask,
    Queue,
    Requirement,
    Resources,
    Worker,
    WorkerId,
)

START_SECONDS = 0.05
"""From an order to the report that the attempt has started."""
STOP_SECONDS = 0.5
"""From an order to the report that the attempt has stopped."""
SILENCE_SECONDS = 5.0
"""After which a worker that does not answer is lost."""
PLAN_SECONDS = 0.3
FINISH_SECONDS = 2.0

SLOT = {
    "plan": Needs((Requirement(Resources(plan_slots=1)),)),
    "finish": Needs((Requirement(Resources(light_slots=1)),)),
}
NOTHING = Resources()
amounts = cache(astuple)
"""The numbers of Resources: of a few, asked for at each start and end of millions of attempts."""
ENCODING = ("encode", "live")
CRASHED = Failure(FailureKind.CRASHED, "its luck")


class Decider(Protocol):
    """What decides: the engine, or what it is compared with."""

    def handle(self, event: Event, now: float) -> Outcome: ...


class Overcommitted(AssertionError):
    """A worker was given more than it has."""


@dataclass(slots=True, eq=False)
class Member:
    """One worker of the fleet, or the one that has come in its place."""

    id: WorkerId
    capacity: Resources
    place: int
    """In the fleet."""
    used: list[int] = field(default_factory=lambda: [0] * len(amounts(NOTHING)))
    alive: bool = True

    def take(self, resources: Resources, sign: int = 1) -> None:
        """Have less left, or more (`sign` -1). Raises Overcommitted."""
        used = self.used
        for place, amount in enumerate(amounts(resources)):
            if amount:
                used[place] += sign * amount
                if used[place] > amounts(self.capacity)[place]:
                    raise Overcommitted(f"{self.id} has {self.capacity} and was given {used}")


@dataclass(slots=True, eq=False)
class Try:
    """An attempt as its worker has it, stopping or not."""

    attempt: Attempt
    member: Member
    work: Arrival
    kind: str
    """Of its task."""
    started_at: float | None = None
    stopping: bool = False


@dataclass(slots=True)
class Known:
    """A job that has not ended."""

    arrival: Arrival
    begun: bool = False
    """Whether anything of it has ever been encoded."""


class Farm:
    def __init__(self, scenario: Scenario, decider: Decider, seed: int) -> None:
        self.now = 0.0
        self.ledger = Ledger(scenario)
        self._scenario = scenario
        self._decider = decider
        self._seed = seed
        self._luck = random.Random(seed + 1)  # noqa: S311 - chance that can be had again, no secret
        self._due: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self._scheduled = 0
        self._wake_at: float | None = None
        self._arrivals = arrivals(scenario, seed)
        self._members: dict[WorkerId, Member] = {}
        self._tries: dict[WorkerId, dict[AttemptId, Try]] = {}
        self._placed: dict[AttemptId, Attempt] = {}
        """Attempts of which the order comes with this outcome."""
        self._jobs: dict[JobId, Known] = {}
        self._joined = 0

    def run(self, every: Callable[[], None] = lambda: None) -> Ledger:
        """The whole story. `every` is called after each event. Raises Overcommitted."""
        for place, capacity in enumerate(self._scenario.fleet):
            self._join((place, capacity))
            every()
        self._expect_arrival()
        while self._step():
            every()
        for tries in self._tries.values():
            for each in tries.values():
                self._account(each, "unfinished")
        not_begun = [job.arrival for job in self._jobs.values() if not job.begun]
        self.ledger.close(self.now, len(self._jobs), not_begun)
        return self.ledger

    def _step(self) -> bool:
        """Have the next thing happen; returns whether there was one."""
        if not self._jobs and self.ledger.all_have_come:
            return False
        if not self._scenario.to_the_end and self.ledger.all_have_come:
            return False
        wake_at = self._wake_at
        if wake_at is not None and (not self._due or wake_at <= self._due[0][0]):
            self.now = max(self.now, wake_at)
            self._tell(Tick())
            return True
        if not self._due:
            return False
        self.now, _, happen, to = heappop(self._due)
        happen(to)
        return True

    def _after(self, seconds: float, happen: Callable[[Any], None], to: Any) -> None:
        self._scheduled += 1
        heappush(self._due, (self.now + seconds, self._scheduled, happen, to))

    # ---------------------------------------------------------------- the decider

    def _tell(self, event: Event) -> None:
        began = time.process_time()
        outcome = self._decider.handle(event, self.now)
        self.ledger.handled(time.process_time() - began, outcome)
        self._wake_at = outcome.wake_at
        for change in outcome.changes:
            kind = type(change)
            if kind is AttemptAdded:
                self._placed[change.attempt.id] = change.attempt
            elif kind is JobTransitioned and change.target.terminal:
                self._jobs.pop(change.job_id)
                self.ledger.ended(completed=change.target is JobState.COMPLETED)
        for command in outcome.commands:
            if isinstance(command, Sync):
                self._obey(command)
        self._placed.clear()

    def _obey(self, order: Sync) -> None:
        """Have exactly what is wanted: start the rest, stop what is not named."""
        member = self._members[order.worker_id]
        tries = self._tries[member.id]
        for attempt_id, each in tries.items():
            if attempt_id not in order.attempts and not each.stopping:
                each.stopping = True
                self._after(STOP_SECONDS, self._stop, each)
        for attempt_id in order.attempts:
            if attempt_id not in tries:
                self._take(member, self._placed[attempt_id])

    def _take(self, member: Member, attempt: Attempt) -> None:
        member.take(attempt.grant.resources)
        arrival = self._jobs[attempt.job_id].arrival
        kind = attempt.task_id[len(attempt.job_id) + 1 :].rstrip("0123456789")
        each = Try(attempt, member, arrival, kind)
        self._tries[member.id][attempt.id] = each
        if member.alive:
            self._after(START_SECONDS, self._start, each)

    # ---------------------------------------------------------------- callers

    def _expect_arrival(self) -> None:
        arrival = next(self._arrivals, None)
        if arrival is None:
            self.ledger.all_have_come = True
        else:
            self._after(arrival.at - self.now, self._arrive, arrival)

    def _arrive(self, arrival: Arrival) -> None:
        job = new_job(arrival)
        self._jobs[job.id] = Known(arrival)
        self._tell(JobSubmitted(job, (NewTask("plan", "plan", SLOT["plan"], weight=0.0),)))
        self._expect_arrival()

    # ---------------------------------------------------------------- attempts

    def _start(self, each: Try) -> None:
        if each.stopping or not each.member.alive:
            return
        each.started_at = self.now
        job = self._jobs[each.attempt.job_id]
        if each.kind in ENCODING and not job.begun:
            job.begun = True
            self.ledger.waited(each.work.kind, self.now - each.work.at)
        seconds, fails = self._fate(each)
        self._after(seconds, self._fail if fails else self._succeed, each)
        self._tell(TaskStarted(each.member.id, each.attempt.id))

    def _fate(self, each: Try) -> tuple[float, bool]:
        """How long an attempt runs, and whether it fails then. The same attempt, that is, as
        many-th at the same task, has the same luck whoever decides."""
        seconds = seconds_of(each)
        if each.kind not in ENCODING:
            return seconds, False
        luck = chance(f"{self._seed}-{each.attempt.id}")
        failing = self._scenario.luck.failing
        return (seconds * luck / failing, True) if luck < failing else (seconds, False)

    def _succeed(self, each: Try) -> None:
        if self._end(each, "succeeded"):
            spawn = chunks(each.work) if each.kind == "plan" else ()
            self._tell(TaskSucceeded(each.member.id, each.attempt.id, spawn=spawn))

    def _fail(self, each: Try) -> None:
        if self._end(each, "failed"):
            self._tell(TaskFailed(each.member.id, each.attempt.id, CRASHED))

    def _stop(self, each: Try) -> None:
        if self._end(each, "preempted", stopped=True):
            self._tell(TaskStopped(each.member.id, each.attempt.id))

    def _end(self, each: Try, how: str, *, stopped: bool = False) -> bool:
        """Returns whether there is anybody to report it."""
        if not each.member.alive or each.stopping is not stopped:
            return False
        del self._tries[each.member.id][each.attempt.id]
        each.member.take(each.attempt.grant.resources, -1)
        self._account(each, how)
        return True

    def _account(self, each: Try, how: str) -> None:
        if each.started_at is not None:
            resources, owner = each.attempt.grant.resources, each.work.owner
            self.ledger.spent(how, owner, resources, each.started_at, self.now)

    # ---------------------------------------------------------------- workers

    def _join(self, place: tuple[int, Resources]) -> None:
        number, capacity = place
        self._joined += 1
        member = Member(f"worker-{number}-{self._joined}", capacity, number)
        self._members[member.id] = member
        self._tries[member.id] = {}
        life = self._scenario.luck.worker_life
        if life < float("inf"):
            self._after(self._luck.expovariate(1.0 / life), self._die, member)
        self._tell(WorkerJoined(as_worker(member)))

    def _die(self, member: Member) -> None:
        """Without a word. What it had goes on for nobody."""
        member.alive = False
        for each in self._tries[member.id].values():
            self._account(each, "lost with its worker")
        self.ledger.workers_lost += 1
        self._after(SILENCE_SECONDS, self._miss, member)

    def _miss(self, member: Member) -> None:
        self._tell(WorkerLost(member.id, "it was silent"))
        del self._members[member.id], self._tries[member.id]
        absence = self._scenario.luck.worker_absence
        self._after(absence, self._join, (member.place, member.capacity))


def new_job(arrival: Arrival) -> Job:
    return Job(
        id=f"j{arrival.number}",
        owner=arrival.owner,
        queue=arrival.kind.queue,
        priority=arrival.kind.priority,
        state=JobState.PENDING,
        submitted_at=arrival.at,
        order=arrival.number,
        urgent=arrival.kind.urgent,
    )


def chunks(arrival: Arrival) -> tuple[NewTask, ...]:
    """What a plan adds: encodes and what joins them, or the one task of a live stream."""
    needs = arrival.kind.needs
    if arrival.kind.queue is Queue.LIVE:
        return (NewTask("live", "live", needs),)
    encodes = tuple(NewTask(f"encode{n}", "encode", needs) for n in range(arrival.chunks))
    names = tuple(task.name for task in encodes)
    return (*encodes, NewTask("finish", "finish", SLOT["finish"], waits_for=names))


def seconds_of(each: Try) -> float:
    if each.kind == "plan":
        return PLAN_SECONDS
    if each.kind == "finish":
        return FINISH_SECONDS
    parts = 1 if each.kind == "live" else each.work.chunks
    return each.work.work / parts / speed(each.attempt.grant)


def as_worker(member: Member) -> Worker:
    return Worker(
        id=member.id,
        node_id=f"node-{member.id}",
        hostname=f"host-{member.id}",
        device="gpu0" if member.capacity.gpu_sessions else "cpu",
        capacity=member.capacity,
    )


def chance(key: str) -> float:
    """A number from 0 to below 1, the same for the same key."""
    return zlib.crc32(key.encode()) / 2**32
