"""What workers say of themselves and of their attempts. A report of an attempt that this worker
does not have at the moment is dropped: so late, repeated and forged ones change nothing."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from ffrtmp_ray.core import jobs, retry, spawn
from ffrtmp_ray.core.lifecycle import ENDING
from ffrtmp_ray.core.messages import (
    DrainEnded,
    DrainRequested,
    Report,
    TaskContinued,
    TaskFailed,
    TaskReplaced,
    TaskStarted,
    TaskStopped,
    TaskSucceeded,
    TaskSuspended,
    WorkerJoined,
    WorkerLost,
)
from ffrtmp_ray.core.model import (
    Attempt,
    Failure,
    FailureKind,
    Job,
    Needs,
    NewTask,
    Policy,
    StopReason,
    Task,
    TaskState,
    WorkerId,
)
from ffrtmp_ray.core.state import State
from ffrtmp_ray.core.timers import Due
from ffrtmp_ray.errors import InvalidRequest, WorkerNotFound

_PLACED: Final = TaskState.PLACED
_RUNNING: Final = TaskState.RUNNING
_STOPPING: Final = TaskState.STOPPING
_SUCCEEDED: Final = TaskState.SUCCEEDED

# ---------------------------------------------------------------- workers


def joined(state: State, event: WorkerJoined) -> None:
    """A worker is there, or has something else than before. A drain of it goes on."""
    known = state.workers.get(event.worker.id)
    draining = event.worker.draining or (known is not None and known.draining)
    state.put_worker(replace(event.worker, draining=draining))
    state.journal.synced[event.worker.id] = None


def lost(state: State, event: WorkerLost) -> None:
    """End all attempts on a worker, known or not."""
    if event.worker_id in state.workers:
        state.remove_worker(event.worker_id)
    for attempt in state.attempts_on(event.worker_id):
        task = state.tasks[attempt.task_id]
        if task.state is TaskState.STOPPING:
            _stopped(state, attempt, None)
        elif event.orderly:
            task = state.end_attempt(attempt, StopReason.DRAINED.value, None)
            why = f"its worker was closed: {event.reason}"
            state.change_task(task, TaskState.READY, why, event.worker_id)
        else:
            _failed(state, attempt, Failure(FailureKind.WORKER_LOST, event.reason), None)
    state.journal.synced.pop(event.worker_id, None)


def drain(state: State, event: DrainRequested) -> None:
    _set_draining(state, event.worker_id, draining=True)


def end_drain(state: State, event: DrainEnded) -> None:
    _set_draining(state, event.worker_id, draining=False)


def _set_draining(state: State, worker_id: WorkerId, *, draining: bool) -> None:
    worker = state.workers.get(worker_id)
    if worker is None:
        raise WorkerNotFound(
            "there is no worker of this id", where=worker_id, remedy="`ffrtmp workers` lists them"
        )
    if worker.draining != draining:
        state.put_worker(replace(worker, draining=draining))


# ---------------------------------------------------------------- how attempts go


def started(state: State, event: TaskStarted) -> None:
    attempt = _reported(state, event, _PLACED)
    if attempt is None:
        return
    state.start_attempt(attempt)
    task = state.tasks[attempt.task_id]
    running = replace(task, state=_RUNNING)
    state.move_task(task, running, f"{task.name} has started", event.worker_id)
    job = state.jobs[task.job_id]
    if job.started_at is None:
        state.put_job(replace(job, started_at=state.now))
        state.timers.set(Due.DEADLINE, job.id)


def suspended(state: State, event: TaskSuspended) -> None:
    """Heard only while it is wanted: a late one would contradict the resumption since."""
    attempt = _reported(state, event, TaskState.RUNNING)
    if attempt is not None and state.jobs[attempt.job_id].held:
        task = state.tasks[attempt.task_id]
        why = f"{task.name} was suspended"
        state.change_task(task, TaskState.SUSPENDED, why, event.worker_id)


def continued(state: State, event: TaskContinued) -> None:
    """Heard only while it is wanted, as `suspended`."""
    attempt = _reported(state, event, TaskState.SUSPENDED)
    if attempt is not None and not state.jobs[attempt.job_id].held:
        task = state.tasks[attempt.task_id]
        why = f"{task.name} has continued"
        state.change_task(task, TaskState.RUNNING, why, event.worker_id)


def _reported(state: State, event: Report, expected: TaskState | None = None) -> Attempt | None:
    """The attempt that `event` is about, if its worker has it and its task is as expected."""
    attempt = state.attempts.get(event.attempt_id)
    if attempt is None or attempt.worker_id != event.worker_id:
        return None
    if expected is not None and state.tasks[attempt.task_id].state is not expected:
        return None
    return attempt


# ---------------------------------------------------------------- how attempts end


def succeeded(state: State, event: TaskSucceeded) -> None:
    attempt = _reported(state, event)
    if attempt is None:
        return
    task = state.tasks[attempt.task_id]
    if _is_over(task):
        _stopped(state, attempt, event.log)
        return
    job = state.jobs[task.job_id]
    done = replace(task, state=_SUCCEEDED, ready_at=None, stop_reason=None)
    try:
        tasks = _spawned(state, job, done, event.spawn) if event.spawn else []
    except InvalidRequest as error:
        _failed(state, attempt, _nonsense(error), event.log)
        return
    state.end_attempt(attempt, "succeeded", event.log)
    state.move_task(task, done, f"{task.name} has succeeded", event.worker_id)
    state.journal.results[task.id] = event.result
    if tasks:
        _add(state, tasks, event.spawn)


def replaced(state: State, event: TaskReplaced) -> None:
    """Plan the job anew. The task that says so is canceled: its own work counts for nothing."""
    attempt = _reported(state, event)
    if attempt is None:
        return
    task = state.tasks[attempt.task_id]
    if _is_over(task):
        _stopped(state, attempt, event.log)
        return
    job = state.jobs[task.job_id]
    job = replace(job, plan=job.plan + 1)
    try:
        tasks = _planned_anew(state, job, task, event.spawn)
    except InvalidRequest as error:
        _failed(state, attempt, _nonsense(error), event.log)
        return
    why = f"it was planned anew: {event.reason}"
    task = state.end_attempt(attempt, "replaced", event.log)
    state.put_job(job)
    state.change_task(task, TaskState.CANCELED, why, event.worker_id)
    jobs.end_tasks(state, job.id, StopReason.REPLACED, why, event.worker_id)
    _add(state, tasks, event.spawn)


def failed(state: State, event: TaskFailed) -> None:
    """A failure of an attempt that was ordered to stop is only the way in which it stopped."""
    attempt = _reported(state, event)
    if attempt is None:
        return
    if state.tasks[attempt.task_id].state is TaskState.STOPPING:
        _stopped(state, attempt, event.log)
    else:
        _failed(state, attempt, event.failure, event.log)


def stopped(state: State, event: TaskStopped) -> None:
    attempt = _reported(state, event)
    if attempt is None:
        return
    task = state.tasks[attempt.task_id]
    if task.state is TaskState.STOPPING:
        _stopped(state, attempt, event.log)
        return
    # Nobody asked for it: the worker is closing, or gave the attempt up. That is no failure, but
    # a worker that does so for ever must not be asked as fast as it can answer.
    task = state.end_attempt(attempt, StopReason.DRAINED.value, event.log)
    not_before = state.now + retry.backoff(1, attempt.id, state.policy)
    why = f"{task.name} was stopped by its worker"
    state.change_task(task, TaskState.DELAYED, why, event.worker_id, not_before=not_before)


def _is_over(task: Task) -> bool:
    """Whether the attempt was ordered to stop for good, so that its result is not wanted."""
    return task.state is _STOPPING and task.stop_reason in ENDING


def _stopped(state: State, attempt: Attempt, log: str | None) -> None:
    """An attempt that was ordered to stop has ended."""
    task = state.tasks[attempt.task_id]
    outcome = (task.stop_reason or StopReason.CANCELED).value
    who = attempt.worker_id
    state.end_attempt(attempt, outcome, log)
    if _is_over(task):
        state.change_task(task, TaskState.CANCELED, f"{task.name} has stopped", who)
    else:
        why = f"{task.name} has stopped ({outcome})"
        state.change_task(task, TaskState.READY, why, who, stop_reason=None)


def _failed(state: State, attempt: Attempt, failure: Failure, log: str | None) -> None:
    task = state.tasks[attempt.task_id]
    job = state.jobs[task.job_id]
    decision = retry.decide(failure, task, job, attempt.id, state.now, state.policy)
    state.end_attempt(attempt, failure.kind.value, log)
    who = attempt.worker_id
    lost = task.workers_lost + (failure.kind is FailureKind.WORKER_LOST)
    why = f"{task.name} has failed: {failure.reason}"
    if isinstance(decision, retry.GiveUp):
        state.change_task(
            task,
            TaskState.FAILED,
            why,
            who,
            failure=decision.failure,
            failures=task.failures + (failure.kind is not FailureKind.WORKER_LOST),
            workers_lost=lost,
            stop_reason=None,
        )
        jobs.fail(state, job.id, decision.failure, who, StopReason.REPLACED)
        return
    later = decision.at > state.now
    state.change_task(
        task,
        TaskState.DELAYED if later else TaskState.READY,
        why,
        who,
        failure=failure,
        failures=task.failures + decision.counts,
        workers_lost=lost,
        not_before=decision.at if later else None,
        needs=_needs_after(task, lost, state.policy),
    )


def _needs_after(task: Task, workers_lost: int, policy: Policy) -> Needs:
    if workers_lost < policy.alone_after_workers_lost:
        return task.needs
    return Needs(tuple(replace(each, alone=True) for each in task.needs.alternatives))


# ---------------------------------------------------------------- tasks that tasks add


def _spawned(state: State, job: Job, parent: Task, additions: Sequence[NewTask]) -> list[Task]:
    """What `parent`, in the state that it will have, adds to `job`. Raises InvalidRequest."""
    return spawn.build(job, additions, ChainMap({parent.id: parent}, state.tasks))


def _planned_anew(state: State, job: Job, task: Task, plan: Sequence[NewTask]) -> list[Task]:
    if not plan:
        raise InvalidRequest("a new plan has at least one task", where=task.id)
    return _spawned(state, job, task, plan)


def _add(state: State, tasks: Sequence[Task], additions: Sequence[NewTask]) -> None:
    for task, new in zip(tasks, additions, strict=True):
        state.add_task(task, new.payload)


def _nonsense(error: InvalidRequest) -> Failure:
    return Failure(FailureKind.CRASHED, f"it asked for tasks that cannot be: {error}")
