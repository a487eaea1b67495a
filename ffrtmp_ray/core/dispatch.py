"""Gives ready tasks to workers until none fits: the one place where queue and room meet."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from ffrtmp_ray.core.model import (
    Job,
    Queue,
    Requirement,
    Resources,
    StopReason,
    Task,
    TaskState,
    WorkerId,
)
from ffrtmp_ray.core.placement import Claim, Place, Promise, at_least_nothing, fits
from ffrtmp_ray.core.preemption import Holder, Standing, cheapest, some, victims
from ffrtmp_ray.core.queue import Lane, class_rank
from ffrtmp_ray.core.state import State


def dispatch(state: State) -> None:
    """Place every ready task that fits, in the order of the queue, and make room for those that
    may take the place of others.

    Looks only at lanes and workers that something has changed for: for all others, that nothing
    fits has been found before.
    """
    lanes: dict[Lane, None] = {}
    while lane := _next_lane(state, lanes):
        if not _place_next(state, lane) and not _make_room(state, lane):
            del lanes[lane]
            able = state.places.count_able(lane.needs)
            state.journal.scheduled["no_room" if able else "unmet"] += 1


def _next_lane(state: State, lanes: dict[Lane, None]) -> Lane | None:
    """The lane whose head is next, among those for which something may have changed."""
    while risen := state.places.risen():
        for worker_id in risen:
            _keep_promises(state, worker_id)
            lanes.update(_lanes_for(state, worker_id))
    lanes.update(dict.fromkeys(state.queue.stirred()))
    heads = [(head, lane) for lane in lanes if (head := lane.head())]
    return min(heads, key=lambda each: each[0])[1] if heads else None


def _lanes_for(state: State, worker_id: WorkerId) -> dict[Lane, None]:
    worker = state.workers[worker_id]
    room = state.places[worker_id].room(Claim.LIVE)
    return {lane: None for lane in state.queue if fits(lane.needs, worker, room)}


def _place_next(state: State, lane: Lane) -> bool:
    """Place the head of `lane` where there is room now."""
    found, head = state.places.best(lane.needs), lane.head()
    if found is None or head is None:
        return False
    worker_id, requirement = found
    _place(state, state.tasks[head.task_id], worker_id, requirement)
    return True


def _place(state: State, task: Task, worker_id: WorkerId, grant: Requirement) -> None:
    state.place(task, worker_id, grant)
    state.journal.scheduled["placed"] += 1


# ---------------------------------------------------------------- promises and preemption


def _keep_promises(state: State, worker_id: WorkerId) -> None:
    """Place the tasks whose promised room has come free, those with the strongest claim first."""
    place = state.places[worker_id]
    promises = sorted(place.promises.items(), key=lambda each: -each[1].yields_to)
    for task_id, promise in promises:
        if promise.grant.resources.within(place.free):
            _place(state, state.tasks[task_id], worker_id, promise.grant)


def _make_room(state: State, lane: Lane) -> bool:
    """Have others give way to a task of `lane`, and promise it their room.

    The next task may take the place of suspended ones, be it what it may; if it is not urgent
    itself, an urgent one behind it may still take the place of running ones.
    """
    turns = dict.fromkeys((lane.first_open(), lane.first_urgent()))
    return any(_promise_room(state, state.tasks[turn.task_id]) for turn in turns if turn)


def _promise_room(state: State, task: Task) -> bool:
    job = state.jobs[task.job_id]
    claim = claim_of(job)
    for requirement in task.needs.alternatives:
        found = cheapest(
            (worker_id, victims(base, requirement.resources, _holders(state, place, claim)))
            for worker_id in some(state.places.candidates(claim, requirement))
            for place in (state.places[worker_id],)
            for base in (_room_to_come(state, place),)
        )
        if found is not None:
            worker_id, going = found
            stopped = [_give_way(state, holder, task) for holder in going]
            state.journal.scheduled["preempted"] += any(stopped)
            state.promise(task, worker_id, Promise(requirement, _promise_yields_to(claim)))
            _keep_promises(state, worker_id)
            return True
    return False


def claim_of(job: Job) -> Claim:
    """What the tasks of `job` may take when no room is free."""
    if job.queue is Queue.LIVE:
        return Claim.LIVE
    return Claim.URGENT if job.urgent else Claim.IDLE


def _promise_yields_to(claim: Claim) -> Claim:
    """A promise gives way to every stronger claim, whatever the running task would do."""
    return Claim(claim + 1)


def _room_to_come(state: State, place: Place) -> Resources:
    """What is free on a worker once all that is stopping has stopped, promises taken off."""
    room = place.balance
    for attempt in place.attempts.values():
        if state.tasks[attempt.task_id].state is TaskState.STOPPING:
            room += attempt.grant.resources
    return at_least_nothing(room)


def _holders(state: State, place: Place, claim: Claim) -> Iterator[Holder]:
    """What gives way to `claim` on a worker and has not been told to yet."""
    for attempt in place.attempts.values():
        task = state.tasks[attempt.task_id]
        if task.state is TaskState.STOPPING or place.yields_to(attempt.id) > claim:
            continue
        job = state.jobs[task.job_id]
        started = attempt.started_at
        yield Holder(
            key=attempt.id,
            resources=attempt.grant.resources,
            standing=Standing.SUSPENDED if job.held else Standing.RUNNING,
            rank=class_rank(job),
            seconds=0.0 if started is None else state.now - started,
        )
    for task_id, promise in place.promises.items():
        if promise.yields_to <= claim:
            rank = class_rank(state.jobs[state.tasks[task_id].job_id])
            yield Holder(task_id, promise.grant.resources, Standing.PROMISED, rank, 0.0)


def _give_way(state: State, holder: Holder, to: Task) -> bool:
    """Take a holder's room for another task; returns whether an attempt is to stop for it."""
    if holder.standing is Standing.PROMISED:
        state.unpromise(holder.key)
        return False
    attempt = state.attempts[holder.key]
    if attempt.id in state.journal.new_attempts:  # placed a moment ago: nobody has been told
        state.retract(attempt)
        state.journal.scheduled["placed"] -= 1
        return False
    task = state.tasks[attempt.task_id]
    reason = StopReason.PAUSED
    if holder.standing is Standing.RUNNING:
        reason = StopReason.PREEMPTED
        state.put_task(replace(task, preemptions=task.preemptions + 1))
    state.stop_attempt(attempt, reason, f"{task.name} gave way to {to.id}", "scheduler")
    return True
