"""What callers ask of jobs, and how a job ends. Each request is refused before it changes
anything, or carried out whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from ffrtmp_ray.core import spawn
from ffrtmp_ray.core.lifecycle import advance_task, state_of
from ffrtmp_ray.core.messages import (
    CancelRequested,
    ChangeRequested,
    JobSubmitted,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
)
from ffrtmp_ray.core.model import (
    Failure,
    FailureKind,
    Job,
    JobId,
    JobState,
    Queue,
    StopReason,
    Task,
    TaskState,
)
from ffrtmp_ray.core.state import State
from ffrtmp_ray.core.timers import Due
from ffrtmp_ray.errors import Conflict, InvalidRequest, JobNotFound, QueueFull

_RETRIABLE: Final = (JobState.FAILED, JobState.CANCELED)
_COMPLETED: Final = JobState.COMPLETED
_TERMINAL: Final = (*_RETRIABLE, _COMPLETED)
_ON_WORKER = (TaskState.PLACED, TaskState.RUNNING, TaskState.SUSPENDED)


def submit(state: State, event: JobSubmitted) -> None:
    job = event.job
    if job.id in state.jobs or job.id in state.open_attempts:
        raise Conflict("there is a job of this id already", where=job.id)
    if not event.tasks:
        raise InvalidRequest("a job starts with at least one task", where=job.id)
    _refuse_if_full(state, job)
    open_jobs = _unfinished(state, job, event.finished)
    tasks = spawn.build(job, event.tasks, {})
    state.add_job(job, event.spec)
    state.dependencies.add(job.id, open_jobs)
    for task, new in zip(tasks, event.tasks, strict=True):
        state.add_task(_not_before(task, job, state.now), new.payload)


def _not_before(task: Task, job: Job, now: float) -> Task:
    if task.state is not TaskState.READY or job.not_before is None or job.not_before <= now:
        return task
    return replace(task, state=TaskState.DELAYED, not_before=job.not_before)


def _unfinished(state: State, job: Job, finished: Mapping[JobId, JobState]) -> list[JobId]:
    """The jobs that `job` waits for. Raises InvalidRequest for such as it would wait for in
    vain."""
    unfinished = []
    for each in job.depends_on:
        if each in state.jobs:
            unfinished.append(each)
        elif each not in finished:
            raise InvalidRequest(f"there is no job {each}", where="depends_on")
        elif finished[each] is not JobState.COMPLETED:
            why = f"job {each}, which it depends on, is {finished[each]}"
            raise InvalidRequest(why, where="depends_on", remedy="retry that one first")
    return unfinished


def change(state: State, event: ChangeRequested) -> None:
    """Give a job another place in the order. Its tasks keep their age; what runs, runs on."""
    job = _find(state, event.job_id)
    queue, priority = event.queue or job.queue, event.priority or job.priority
    if (queue is Queue.LIVE) != (job.queue is Queue.LIVE) and job.id in state.open_attempts:
        raise Conflict(
            "a job moves into and out of the live queue only while none of its tasks is on a "
            "worker",
            where=job.id,
        )
    if event.labels is not None:
        state.journal.labels[job.id] = event.labels
    if (queue, priority) == (job.queue, job.priority):
        return
    state.put_job(replace(job, queue=queue, priority=priority))
    for task in state.tasks_of(job.id):
        attempt = state.attempt_of(task.id)
        if attempt is not None:
            state.reconsider(attempt)
        elif task.state is TaskState.READY:
            state.requeue(task)


def pause(state: State, event: PauseRequested) -> None:
    """Suspend what runs, hold the rest. A live task and one that has not started are stopped:
    the first would fall behind for good, the other loses nothing."""
    job = _find(state, event.job_id)
    _refuse_if_publishing(state, job, "paused")
    if job.held:
        return
    job = replace(job, held=True, paused_at=state.now)
    state.put_job(job)
    state.because(job.id, "it was paused", event.who)
    for task in state.tasks_of(job.id):
        attempt = state.attempt_of(task.id)
        if task.state is TaskState.READY:
            state.requeue(task)
        elif attempt is None or task.state is TaskState.STOPPING:
            continue
        elif task.state is TaskState.PLACED or job.queue is Queue.LIVE:
            state.stop_attempt(attempt, StopReason.PAUSED, "it was paused", event.who)
        else:
            state.reconsider(attempt)
            state.timers.set(Due.SUSPEND_LIMIT, job.id)


def resume(state: State, event: ResumeRequested) -> None:
    job = _find(state, event.job_id)
    if job.paused_at is None:
        return
    paused = job.paused_seconds
    if job.started_at is not None:
        paused += state.now - job.paused_at
    job = replace(job, held=False, paused_at=None, paused_seconds=paused)
    state.put_job(job)
    state.because(job.id, "it was resumed", event.who)
    state.timers.set(Due.DEADLINE, job.id)
    for task in state.tasks_of(job.id):
        attempt = state.attempt_of(task.id)
        if task.state is TaskState.READY:
            state.requeue(task)
        elif attempt is not None:
            state.reconsider(attempt)


def cancel(state: State, event: CancelRequested) -> None:
    job = _find(state, event.job_id)
    _refuse_if_publishing(state, job, "canceled")
    end_tasks(state, job.id, StopReason.CANCELED, "it was canceled", event.who)


def retry(state: State, event: RetryRequested) -> None:
    """Take a failed or canceled job in again; what has succeeded in its current plan is kept.

    It writes a transition of its own, to `pending` or `queued`, so this is the one event after
    which a job may have two: the other is that a task of it was placed at once.
    """
    job = event.job
    if job.id in state.jobs or job.state not in _RETRIABLE:
        now = state.jobs.get(job.id, job).state
        raise Conflict(
            f"the job is {now}", where=job.id, remedy="only failed and canceled jobs are retried"
        )
    tasks = [_as_it_is_now(state, task) for task in event.tasks]
    job = replace(
        job,
        held=False,
        started_at=None,
        paused_at=None,
        paused_seconds=0.0,
        finished_at=None,
        failure=None,
    )
    try:
        open_jobs = [] if event.job.started_at else _unfinished(state, job, event.finished)
    except InvalidRequest as trouble:
        raise Conflict(trouble.message, where=job.id, remedy=trouble.remedy) from None
    state.discarding.discard(job.id)
    state.hold_job(job)
    state.dependencies.add(job.id, open_jobs)
    for task in tasks:
        state.hold_task(task)
    for task in tasks:
        if task.plan == job.plan and task.state is not TaskState.SUCCEEDED:
            _reset(state, task, event.who)
    retried = replace(job, state=state_of(job, state.tallies[job.id]))
    state.move_job(job, retried, "it was retried", event.who)


def _as_it_is_now(state: State, task: Task) -> Task:
    """The row of a task as the engine knows it: since it was read, it may have stopped."""
    if task.state is TaskState.STOPPING and task.id not in state.current:
        return advance_task(task, TaskState.CANCELED)
    return state.tasks.get(task.id, task)


def _reset(state: State, task: Task, who: str) -> None:
    """Have an unfinished task of a retried job start anew, as soon as its last attempt is gone."""
    fresh = replace(task, failures=0, workers_lost=0, preemptions=0, not_before=None, failure=None)
    if task.id in state.current:
        state.put_task(replace(fresh, stop_reason=StopReason.RETRIED))
        return
    ready = all(state.tasks[each].state is TaskState.SUCCEEDED for each in task.waits_for)
    target = TaskState.READY if ready else TaskState.WAITING
    state.change_task(fresh, target, "its job was retried", who, stop_reason=None)


# ---------------------------------------------------------------- how a job ends


def release_dependents(state: State) -> None:
    """Where the event ended jobs: those that waited for a completed one may start, and those
    that waited for another fail, with all that depend on them in turn."""
    affected = list(state.journal.affected())
    while affected:
        job = state.jobs.get(affected.pop())
        if job is None or not state.dependencies.has_dependents(job.id):
            continue
        target = state_of(job, state.tallies[job.id])
        if not target.terminal:
            continue
        for each in state.dependencies.release(job.id):
            if target is not JobState.COMPLETED:
                why = f"job {job.id}, which it depends on, {_ENDED[target]}"
                failure = Failure(FailureKind.DEPENDENCY, why)
                fail(state, each, failure, "scheduler", StopReason.REPLACED)
                affected.append(each)
            elif each not in state.dependencies:
                state.may_start_now(each)


_ENDED = {JobState.FAILED: "has failed", JobState.CANCELED: "was canceled"}


def fail(state: State, job_id: JobId, failure: Failure, who: str, reason: StopReason) -> None:
    """Have a job fail; its attempts are stopped for `reason`."""
    state.put_job(replace(state.jobs[job_id], failure=failure))
    end_tasks(state, job_id, reason, f"it failed: {failure.reason}", who)
    state.because(job_id, failure.reason, who)


def end_tasks(state: State, job_id: JobId, reason: StopReason, why: str, who: str) -> None:
    """Cancel the unfinished tasks of a job, those of older plans included; stop what runs."""
    for task in state.tasks_of(job_id):
        attempt = state.attempt_of(task.id)
        if attempt is not None:
            state.stop_attempt(attempt, reason, why, who)
        elif not task.state.terminal:
            state.change_task(task, TaskState.CANCELED, why, who)


def reach_suspend_limit(state: State, job_id: JobId) -> None:
    """The suspended attempts of a job that was paused for long give up their places."""
    why = f"it was paused for over {state.policy.suspend_limit:g} s"
    for task in state.tasks_of(job_id):
        attempt = state.attempt_of(task.id)
        if attempt is not None and not task.final and task.state in _ON_WORKER:
            state.stop_attempt(attempt, StopReason.PAUSED, why, "scheduler")


def reach_deadline(state: State, job_id: JobId) -> None:
    limit = state.jobs[job_id].timeout_seconds
    failure = Failure(FailureKind.TIMED_OUT, f"it took longer than its timeout of {limit:g} s")
    fail(state, job_id, failure, "scheduler", StopReason.TIMED_OUT)


def settle(state: State, job_id: JobId) -> None:
    """Give a job the state that follows from its tasks, and let go of it if that is its last."""
    job = state.jobs.get(job_id)
    if job is None:
        return
    target = state_of(job, state.tallies[job_id])
    new = job_id in state.journal.specs
    if target is job.state and not new:
        return
    why, who = state.journal.reasons.get(job_id, _NO_REASON)
    if new:
        why, who = "it was submitted", job.owner
    if target not in _TERMINAL:
        state.move_job(job, replace(job, state=target), why, who)
        return
    state.move_job(job, replace(job, state=target, finished_at=state.now), why, who)
    state.forget_job(job_id)
    if target is _COMPLETED:
        return
    if job_id in state.open_attempts:
        state.discarding.add(job_id)
    else:
        state.journal.discards[job_id] = None


_NO_REASON: Final = ("its tasks have changed", "scheduler")

# ---------------------------------------------------------------- requests that are refused


def _find(state: State, job_id: JobId) -> Job:
    job = state.jobs.get(job_id)
    if job is None:
        raise JobNotFound("there is no unfinished job of this id", where=job_id)
    return job


def _refuse_if_full(state: State, job: Job) -> None:
    policy = state.policy
    owner = policy.owners.get(job.owner, policy.other_owners)
    waiting = state.counts.waiting_of.get(job.owner, 0)
    if policy.max_queued is not None and state.counts.total >= policy.max_queued:
        why = f"{policy.max_queued} jobs wait, as many as may"
    elif owner.max_queued is not None and waiting >= owner.max_queued:
        why = f"{owner.max_queued} jobs of {job.owner} wait, as many as may"
    else:
        return
    raise QueueFull(why, remedy="submit it again when some have started")


def _refuse_if_publishing(state: State, job: Job, what: str) -> None:
    if state.tallies[job.id].publishing:
        raise Conflict(f"the job is being published and cannot be {what}", where=job.id)
