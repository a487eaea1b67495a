"""The transition tables of jobs and tasks, and a job's state as a function of its tasks.

Data and pure functions; nothing here changes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from ffrtmp_ray.core.model import Job, JobState, StopReason, Task, TaskState
from ffrtmp_ray.errors import IllegalTransition

PLAN: Final = "plan"
"""The one kind of task that the engine knows: a job is pending while it has an unfinished one."""

ENDING: Final = frozenset({StopReason.CANCELED, StopReason.REPLACED, StopReason.TIMED_OUT})
"""Reasons after which a task that has stopped is canceled. After all others it is ready again,
and a success that its attempt still reports counts."""

_J = JobState
_UNPLACED = frozenset({_J.PENDING, _J.QUEUED})
_UNHELD = _UNPLACED | {_J.ASSIGNED, _J.PROCESSING}
_TERMINAL = frozenset({_J.COMPLETED, _J.FAILED, _J.CANCELED})

JOB_TABLE: Final[Mapping[JobState, frozenset[JobState]]] = {
    _J.PENDING: _UNHELD - {_J.PENDING} | {_J.PAUSED} | _TERMINAL,
    _J.QUEUED: _UNHELD - {_J.QUEUED} | {_J.PAUSED} | _TERMINAL,
    _J.ASSIGNED: _UNHELD - {_J.ASSIGNED} | {_J.PAUSED} | _TERMINAL,
    _J.PROCESSING: _UNHELD - {_J.PROCESSING} | {_J.PAUSED} | _TERMINAL,
    _J.PAUSED: _UNHELD | _TERMINAL,
    _J.FAILED: _UNPLACED,
    _J.CANCELED: _UNPLACED,
    _J.COMPLETED: frozenset(),
}
"""Which state of a job may follow which. What follows `failed` and `canceled` is an explicit
retry; that a paused job completes means that its last task was ending when it was paused."""

_T = TaskState
_AFTER_ATTEMPT = frozenset({_T.READY, _T.DELAYED, _T.SUCCEEDED, _T.FAILED, _T.CANCELED})

TASK_TABLE: Final[Mapping[TaskState, frozenset[TaskState]]] = {
    _T.WAITING: frozenset({_T.READY, _T.CANCELED}),
    _T.READY: frozenset({_T.PLACED, _T.CANCELED}),
    _T.DELAYED: frozenset({_T.READY, _T.CANCELED}),
    _T.PLACED: _AFTER_ATTEMPT | {_T.RUNNING, _T.STOPPING},
    _T.RUNNING: _AFTER_ATTEMPT | {_T.SUSPENDED, _T.STOPPING},
    _T.SUSPENDED: _AFTER_ATTEMPT | {_T.RUNNING, _T.STOPPING},
    _T.STOPPING: frozenset({_T.READY, _T.SUCCEEDED, _T.CANCELED}),
    _T.SUCCEEDED: frozenset(),
    _T.FAILED: frozenset({_T.READY, _T.WAITING}),
    _T.CANCELED: frozenset({_T.READY, _T.WAITING}),
}
"""Which state of a task may follow which. What follows `failed` and `canceled` is an explicit
retry. An attempt may end without its start having been heard of: so `placed` leads to each end."""


def check(
    subject: str,
    source: JobState | TaskState,
    target: JobState | TaskState,
    story: Iterable[str] = (),
) -> None:
    """Raises IllegalTransition, with what led there, unless a table has `source` -> `target`."""
    allowed: frozenset[JobState] | frozenset[TaskState]
    allowed = JOB_TABLE[source] if isinstance(source, JobState) else TASK_TABLE[source]
    if target in allowed:
        return
    led = "; ".join(story) or "nothing before it"
    raise IllegalTransition(
        f"{source.value} -> {target.value} is no legal change; what led to it: {led}",
        where=subject,
    )


def advance_task(task: Task, target: TaskState, story: Iterable[str] = (), **changes: Any) -> Task:
    """`task` in state `target`, other fields changed with it. Raises IllegalTransition."""
    check(task.id, task.state, target, story)
    return replace(task, state=target, **changes)


@dataclass(slots=True)
class Tally:
    """How many tasks of a job's current plan are in which condition; kept up task by task."""

    unfinished: int = 0
    planning: int = 0
    """Unfinished ones of kind `plan`."""
    publishing: int = 0
    """Unfinished final ones."""
    running: int = 0
    placed: int = 0
    """Placed or suspended: on a worker, and not running."""
    failed: int = 0
    canceled: int = 0
    """Canceled, or stopping in order to be."""

    def count(self, task: Task, by: int = 1) -> None:
        """Add `task`, or take it out with `by=-1`."""
        state = task.state
        if state is _T_SUCCEEDED:
            return
        if state is _T_FAILED:
            self.failed += by
        elif state is _T_CANCELED or (state is _T_STOPPING and task.stop_reason in ENDING):
            self.canceled += by
        else:
            self.unfinished += by
            if task.kind == PLAN:
                self.planning += by
            if task.final:
                self.publishing += by
            if state is _T_RUNNING:
                self.running += by
            elif state is _T_PLACED or state is _T_SUSPENDED:
                self.placed += by


_T_PLACED: Final = TaskState.PLACED
_T_RUNNING: Final = TaskState.RUNNING
_T_SUSPENDED: Final = TaskState.SUSPENDED
_T_STOPPING: Final = TaskState.STOPPING
_T_SUCCEEDED: Final = TaskState.SUCCEEDED
_T_FAILED: Final = TaskState.FAILED
_T_CANCELED: Final = TaskState.CANCELED


def tally(job: Job, tasks: Iterable[Task]) -> Tally:
    """The count of those of `tasks` that belong to the current plan of `job`."""
    found = Tally()
    for task in tasks:
        if task.plan == job.plan:
            found.count(task)
    return found


def state_of(job: Job, counts: Tally) -> JobState:
    """The state of `job`, whose tasks come to `counts`: the first that applies."""
    if job.failure is not None or counts.failed:
        return _FAILED
    if counts.canceled:
        return _CANCELED
    if not counts.unfinished:
        return _COMPLETED
    if job.held:
        return _PAUSED
    if counts.planning:
        return _PENDING
    if counts.running:
        return _PROCESSING
    return _ASSIGNED if counts.placed else _QUEUED


_PENDING: Final = JobState.PENDING
_QUEUED: Final = JobState.QUEUED
_ASSIGNED: Final = JobState.ASSIGNED
_PROCESSING: Final = JobState.PROCESSING
_PAUSED: Final = JobState.PAUSED
_COMPLETED: Final = JobState.COMPLETED
_FAILED: Final = JobState.FAILED
_CANCELED: Final = JobState.CANCELED


def job_state(job: Job, tasks: Iterable[Task]) -> JobState:
    """The state of `job`, a function of its tasks and of the user's order (`held`) alone."""
    return state_of(job, tally(job, tasks))
