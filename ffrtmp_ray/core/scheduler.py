"""The engine's one door: events in, what follows from them out. Never acts, never waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ffrtmp_ray.core import demand, explain, jobs, reports, yielding
from ffrtmp_ray.core.dispatch import dispatch
from ffrtmp_ray.core.messages import (
    CancelRequested,
    ChangeRequested,
    Command,
    Discard,
    DrainEnded,
    DrainRequested,
    Event,
    JobSubmitted,
    Level,
    Outcome,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    Sync,
    TaskContinued,
    TaskFailed,
    TaskReplaced,
    TaskStarted,
    TaskStopped,
    TaskSucceeded,
    TaskSuspended,
    Tick,
    WorkerJoined,
    WorkerLost,
)
from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Job,
    JobId,
    Needs,
    Policy,
    Priority,
    Queue,
    Resources,
    Shares,
    Snapshot,
    Task,
    TaskId,
    TaskState,
    Worker,
    WorkerId,
)
from ffrtmp_ray.core.state import State
from ffrtmp_ray.core.timers import Due

EMPTY = Snapshot()


class Scheduler:
    """Decides what runs where.

    `epoch` is the number of this scheduler's life; it becomes part of the ids of attempts.
    `snapshot` is what the store held. What it held ready is placed with the first event.
    `now` is the time as of which it is right, in seconds since 1970.
    """

    def __init__(
        self, policy: Policy, epoch: int, snapshot: Snapshot = EMPTY, now: float = 0.0
    ) -> None:
        self._state = State(policy, epoch, now)
        _restore(self._state, snapshot)

    def handle(self, event: Event, now: float) -> Outcome:
        """Take in one event at the time `now` (seconds since 1970, never falling).

        Raises JobNotFound, WorkerNotFound, Conflict or InvalidRequest for a request that cannot
        be met, before anything is changed; IllegalTransition for a defect of the engine, after
        which it must not be used any more.
        """
        state = self._state
        state.begin(now)
        _HANDLERS[type(event)](state, event)
        for timer in state.timers.pop_due(now):
            _DUE[timer.due](state, timer.subject)
        if state.dependencies:
            jobs.release_dependents(state)
        dispatch(state)
        journal = state.journal
        for job_id in journal.affected():
            jobs.settle(state, job_id)
        return Outcome(
            changes=journal.changes(),
            commands=_commands(state),
            wake_at=state.timers.next_at(),
            scheduled=journal.scheduled,
        )

    # ---------------------------------------------------------------- reads

    def shares(self) -> Shares:
        """What owners have had, for a later life's snapshot."""
        return self._state.accounts.shares(self._state.tick)

    @property
    def jobs(self) -> Mapping[JobId, Job]:
        """Unfinished ones."""
        return MappingProxyType(self._state.jobs)

    @property
    def workers(self) -> Mapping[WorkerId, Worker]:
        return MappingProxyType(self._state.workers)

    @property
    def active_jobs(self) -> int:
        """Jobs in state `assigned` or `processing`."""
        return self._state.counts.active

    @property
    def next_wake(self) -> float | None:
        """When a Tick is wanted, if nothing else happens before."""
        return self._state.timers.next_at()

    def queue_lengths(self) -> dict[tuple[Queue, Priority], int]:
        """Jobs in state `pending` or `queued`, of each class that has some."""
        return {each: count for each, count in self._state.counts.waiting.items() if count}

    def job(self, job_id: JobId) -> Job | None:
        """An unfinished job."""
        return self._state.jobs.get(job_id)

    def tasks_of(self, job_id: JobId) -> tuple[Task, ...]:
        """All tasks of an unfinished job, in the order in which they were added."""
        return tuple(self._state.tasks_of(job_id))

    def task(self, task_id: TaskId) -> Task:
        """A task of an unfinished job, or one that is still stopping. Raises KeyError."""
        return self._state.tasks[task_id]

    def attempts_on(self, worker_id: WorkerId) -> tuple[Attempt, ...]:
        """Those that have not ended, stopping ones included."""
        return tuple(self._state.attempts_on(worker_id))

    def attempt_of(self, task_id: TaskId) -> Attempt | None:
        """The one attempt of a task that has not ended."""
        return self._state.attempt_of(task_id)

    def wanted(self, worker_id: WorkerId) -> dict[AttemptId, Level]:
        """What is to run on a worker; it stops what is not named."""
        return self._state.wanted(worker_id)

    def free(self, worker_id: WorkerId) -> Resources:
        """What no attempt has of a worker; nothing, if the worker is not known."""
        return self._state.places.free(worker_id)

    def unmet(self, since: float) -> tuple[Needs, ...]:
        """The needs of tasks that have waited for room since then: see `demand`."""
        return demand.unmet(self._state, since)

    def explain(self, task_id: TaskId) -> str | None:
        """One sentence on why a task is not on a worker yet; None for one that is, or has ended."""
        task = self._state.tasks.get(task_id)
        return None if task is None else explain.explain(self._state, task)

    def starts_in(self, task_id: TaskId) -> float | None:
        """Seconds until a task starts, estimated; None where there is no telling."""
        task = self._state.tasks.get(task_id)
        return None if task is None else explain.starts_in(self._state, task)


def _tick(state: State, event: Tick) -> None:
    """What is due comes after every event."""


_HANDLERS: dict[type, Callable[[State, Any], None]] = {
    JobSubmitted: jobs.submit,
    ChangeRequested: jobs.change,
    PauseRequested: jobs.pause,
    ResumeRequested: jobs.resume,
    CancelRequested: jobs.cancel,
    RetryRequested: jobs.retry,
    DrainRequested: reports.drain,
    DrainEnded: reports.end_drain,
    WorkerJoined: reports.joined,
    WorkerLost: reports.lost,
    TaskStarted: reports.started,
    TaskSuspended: reports.suspended,
    TaskContinued: reports.continued,
    TaskSucceeded: reports.succeeded,
    TaskReplaced: reports.replaced,
    TaskFailed: reports.failed,
    TaskStopped: reports.stopped,
    Tick: _tick,
}


def _end_delay(state: State, task_id: TaskId) -> None:
    task = state.tasks[task_id]
    why = f"{task.name} is tried again" if task.attempts else f"{task.name} may start now"
    state.change_task(task, TaskState.READY, why, "scheduler", not_before=None)


_DUE: dict[Due, Callable[[State, str], None]] = {
    Due.RETRY: _end_delay,
    Due.SUSPEND_LIMIT: jobs.reach_suspend_limit,
    Due.DEADLINE: jobs.reach_deadline,
    Due.RESERVATION: yielding.end_reservation,
}


def _commands(state: State) -> tuple[Command, ...]:
    commands: list[Command] = [
        Sync(worker_id, state.wanted(worker_id)) for worker_id in state.journal.synced
    ]
    commands += [Discard(job_id) for job_id in state.journal.discards]
    return tuple(commands)


def _restore(state: State, snapshot: Snapshot) -> None:
    """Take in what the store held, without a change of any row."""
    state.accounts.take_in(snapshot.shares)
    for worker in snapshot.workers:
        state.hold_worker(worker)
    for job in snapshot.jobs:
        state.hold_job(job)
    for job in snapshot.jobs:
        if job.depends_on:
            # One that is not here has completed: else this job would have failed.
            state.dependencies.add(job.id, [each for each in job.depends_on if each in state.jobs])
    for task in snapshot.tasks:
        state.hold_task(task)
    for task in snapshot.tasks:
        if task.state is TaskState.WAITING:
            state.watch(task)
    for attempt in snapshot.attempts:
        state.hold_attempt(attempt)
    state.accounts.go_on(snapshot.shares)
    state.discarding.update(state.open_attempts.keys() - state.jobs.keys())
    _set_timers(state, snapshot)


def _set_timers(state: State, snapshot: Snapshot) -> None:
    for task in snapshot.tasks:
        if task.not_before is not None:
            state.timers.set(Due.RETRY, task.id)
    for job in snapshot.jobs:
        if job.paused_at is not None:
            state.timers.set(Due.SUSPEND_LIMIT, job.id)
        if job.timeout_seconds is not None:
            state.timers.set(Due.DEADLINE, job.id)
