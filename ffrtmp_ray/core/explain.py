"""Why a task is not on a worker yet, in one sentence. Pure reads, each with a bounded cost."""

from __future__ import annotations

from ffrtmp_ray.core.model import Needs, Requirement, Task, TaskState
from ffrtmp_ray.core.rooms import asked, fits_any
from ffrtmp_ray.core.state import State

MOST_COUNTED = 10_000
"""Tasks of a queue that are looked at to say how many are ahead."""
MOST_NAMED = 3
LONGEST_TOLD = 30 * 86_400.0
"""Seconds. Of what is further away nobody can tell."""


def explain(state: State, task: Task) -> str | None:
    """The sentence; None for a task that waits for nothing."""
    match task.state:
        case TaskState.WAITING:
            return _other_tasks(state, task)
        case TaskState.DELAYED:
            seconds = max(0.0, (task.not_before or state.now) - state.now)
            if not task.attempts:
                return f"starts in {seconds:.0f} s at the earliest, as its job asked"
            why = f" after: {task.failure.reason}" if task.failure else ""
            return f"tried again in {seconds:.0f} s{why}"
        case TaskState.STOPPING:
            return "its last attempt is being stopped"
        case TaskState.READY:
            return _ready(state, task)
        case _:
            return None


def _other_tasks(state: State, task: Task) -> str:
    others = [
        state.tasks[each].name
        for each in sorted(task.waits_for)
        if state.tasks[each].state is not TaskState.SUCCEEDED
    ]
    named = ", ".join(others[:MOST_NAMED])
    more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    return f"waits for other tasks of its job: {named}{more}"


def _ready(state: State, task: Task) -> str:
    if not state.may_start(task):
        return _held(state, task)
    if task.id in state.promised:
        return f"room is being made for it on {state.promised[task.id]}"
    account = state.accounts.of(state.jobs[task.job_id].owner)
    if account.full:
        return f"{account.owner} has {account.policy.max_running} tasks running, as many as it may"
    if not state.workers:
        return "there is no worker"
    able = state.places.count_able(asked(task.needs))
    if not able:
        if _fits_draining(state, task):
            return "the workers that could do it are being drained"
        return f"no worker has what it needs: {describe(task.needs)}"
    lane = state.queue.lane_of(task)
    busy = f"all {able} fitting workers are busy" if able > 1 else "the one fitting worker is busy"
    return busy + _ahead(state, task) if lane is not None else busy


def _fits_draining(state: State, task: Task) -> bool:
    places = (state.places[each.id] for each in state.workers.values() if each.draining)
    wanted = asked(task.needs)
    return any(each.kind and fits_any(wanted, each.kind, each.kind.empty) for each in places)


def starts_in(state: State, task: Task) -> float | None:
    """Seconds until a ready task starts, if others of its needs are placed as fast as lately;
    None where there is no telling: it may not start yet, or none has been placed."""
    lane = state.queue.lane_of(task)
    rate = None if lane is None else lane.pace.per_second(state.now)
    if lane is None or not rate:
        return None
    seconds = (state.queue.ahead_of(task, MOST_COUNTED) + 1) / rate
    return seconds if seconds < LONGEST_TOLD else None


def _held(state: State, task: Task) -> str:
    others = sorted(state.dependencies.needed_by(task.job_id))
    if state.jobs[task.job_id].held or not others:
        return "held: the job is paused"
    more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    return f"waits for other jobs: {', '.join(others[:MOST_NAMED])}{more}"


def _ahead(state: State, task: Task) -> str:
    ahead = state.queue.ahead_of(task, MOST_COUNTED)
    told = ", and one task is ahead of it" if ahead == 1 else ""
    if ahead > 1:
        told = f", and about {ahead} tasks are ahead of it"
    seconds = starts_in(state, task)
    return told if seconds is None else f"{told}; at the present pace it starts in {_span(seconds)}"


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"about {seconds:.0f} s"
    minutes = seconds / 60
    return f"about {minutes:.0f} min" if minutes < 90 else f"about {minutes / 60:.0f} h"


def describe(needs: Needs) -> str:
    """As `4 CPUs with libx264, or 2 CPUs with libx264`."""
    return ", or ".join(_describe(each) for each in needs.alternatives)


def _describe(requirement: Requirement) -> str:
    resources = requirement.resources
    counts = (
        (resources.gpu_sessions, "GPU encoder"),
        (resources.gpu_memory_mib, "MiB of GPU memory"),
        (resources.cpus, "CPU"),
        (resources.plan_slots, "planning slot"),
        (resources.light_slots, "light slot"),
    )
    parts = [f"{n} {what}{'' if n == 1 or ' of ' in what else 's'}" for n, what in counts if n]
    amount = "a worker for itself, with " if requirement.alone else ""
    amount += " and ".join(parts) or "a place"
    capabilities = " and ".join(sorted(requirement.capabilities))
    return f"{amount} with {capabilities}" if capabilities else amount
