"""How tasks get room that is not free: promised to them while others give way, or kept for a
large one that has waited long."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from ffrtmp_ray.core.claims import claim_of
from ffrtmp_ray.core.lane import Lane, Turn, class_rank
from ffrtmp_ray.core.model import (
    Requirement,
    Resources,
    StopReason,
    Task,
    TaskId,
    TaskState,
    WorkerId,
)
from ffrtmp_ray.core.placement import Claim, Place, Promise
from ffrtmp_ray.core.preemption import Holder, Standing, cheapest, some, victims
from ffrtmp_ray.core.state import State
from ffrtmp_ray.core.vector import pack, unpack


def keep_promises(state: State, worker_id: WorkerId) -> None:
    """Place the tasks whose promised room has come free, those with the strongest claim first."""
    place = state.places.get(worker_id)
    if place is None:
        return
    promises = sorted(place.promises.items(), key=lambda each: -each[1].yields_to)
    for task_id, promise in promises:
        if place.keeps(promise):
            state.place(state.tasks[task_id], worker_id, promise.grant)


def make_room(state: State, lane: Lane) -> bool:
    """Have others give way to a task of `lane`, and promise it their room.

    The next task may take the place of suspended ones, be it what it may; if it is not urgent
    itself, an urgent one behind it may still take the place of running ones.
    """
    turns = dict.fromkeys((state.queue.first_open(lane, state.tick), lane.first_urgent()))
    return any(_promise_room(state, state.tasks[task_id]) for task_id in turns if task_id)


def reserve(state: State, lane: Lane, turn: Turn) -> bool:
    """Keep a worker free for a task that has waited long and fits nowhere, one for each lane and
    for a time; urgent and live tasks may take it all the same."""
    if turn.task_id in state.promised or lane.reserve_after > state.now:
        return False
    if any(task_id in state.reserved for task_id in lane.promised):
        return False
    for requirement, _ in lane.asked:
        able = [each for each in some(state.places.able(requirement)) if _is_whole(state, each)]
        if able:
            worker_id = max(able, key=lambda each: state.places[each].room(Claim.NOW))
            promise = Promise(state.places.grant(worker_id, requirement), Claim.URGENT)
            state.promise(state.tasks[turn.task_id], worker_id, promise)
            state.reserve(turn.task_id, state.now + state.policy.reserve_limit)
            state.journal.decided("reserved")
            return True
    return False


def end_reservation(state: State, task_id: TaskId) -> None:
    """A worker was kept free for long enough and in vain; the next such time is not at once."""
    lane = state.queue.lane_of(state.tasks[task_id])
    state.unpromise(task_id)
    if lane is not None:
        lane.reserve_after = state.now + state.policy.reserve_limit


def _is_whole(state: State, worker_id: WorkerId) -> bool:
    return not state.places[worker_id].promises


def _promise_room(state: State, task: Task) -> bool:
    claim = claim_of(state.jobs[task.job_id])
    for requirement in task.needs.alternatives:
        found = cheapest(
            (worker_id, victims(base, grant.resources, _holders(state, place, claim)))
            for worker_id in some(state.places.candidates(claim, requirement))
            for place in (state.places[worker_id],)
            for grant in (state.places.grant(worker_id, requirement),)
            for base in (_room_to_come(state, place),)
        )
        if found is not None:
            _have_give_way(state, task, requirement, *found)
            return True
    return False


def _have_give_way(
    state: State,
    task: Task,
    requirement: Requirement,
    worker_id: WorkerId,
    going: tuple[Holder, ...],
) -> None:
    claim = claim_of(state.jobs[task.job_id])
    stopped = [_give_way(state, holder, task) for holder in going]
    state.journal.decided("preempted", int(any(stopped)))
    grant = state.places.grant(worker_id, requirement)
    state.promise(task, worker_id, Promise(grant, _promise_yields_to(claim)))
    keep_promises(state, worker_id)


def _promise_yields_to(claim: Claim) -> Claim:
    """A promise gives way to every stronger claim, whatever the running task would do."""
    return Claim(claim + 1)


def _room_to_come(state: State, place: Place) -> Resources:
    """What is free on a worker once all that is stopping has stopped, promises taken off."""
    room = place.left[Claim.NOW]
    for attempt in place.attempts.values():
        if state.tasks[attempt.task_id].state is TaskState.STOPPING:
            room += pack(attempt.grant.resources)
    return unpack(room)


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
        return False
    task = state.tasks[attempt.task_id]
    reason = StopReason.PAUSED
    if holder.standing is Standing.RUNNING:
        reason = StopReason.PREEMPTED
        state.put_task(replace(task, preemptions=task.preemptions + 1))
    state.stop_attempt(attempt, reason, f"{task.name} gave way to {to.id}", "scheduler")
    return True
