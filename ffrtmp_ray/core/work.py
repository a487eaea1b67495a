"""What is to be done: jobs, their tasks, and which of these are in the queue or have been promised
room. Keeps the indexes true and writes each changed row into the journal; decides nothing."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from ffrtmp_ray.core.accounts import Account, Accounts
from ffrtmp_ray.core.counts import JobCounts
from ffrtmp_ray.core.dependencies import Blockers, Dependencies
from ffrtmp_ray.core.due import due_at
from ffrtmp_ray.core.journal import Journal
from ffrtmp_ray.core.lifecycle import (
    JOB_TABLE,
    TASK_TABLE,
    Tally,
    check,
    tally,
)
from ffrtmp_ray.core.messages import JobTransitioned
from ffrtmp_ray.core.model import (
    AttemptId,
    Document,
    Job,
    JobId,
    Policy,
    Task,
    TaskId,
    TaskState,
    WorkerId,
)
from ffrtmp_ray.core.placement import Places, Promise
from ffrtmp_ray.core.queue import ReadyQueue
from ffrtmp_ray.core.story import Story
from ffrtmp_ray.core.timers import Due, Timers

TICK_SECONDS: Final = 5.0
"""Short beside a task; long enough that most decisions find the order as the one before left it."""

_READY: Final = TaskState.READY
_WAITING: Final = TaskState.WAITING
_DELAYED: Final = TaskState.DELAYED
_SUCCEEDED: Final = TaskState.SUCCEEDED


class Work:
    """The part of `State` that knows jobs and tasks."""

    def __init__(self, policy: Policy, epoch: int, now: float) -> None:
        self.policy = policy
        self.epoch = epoch
        self.begin(now)

        self.jobs: dict[JobId, Job] = {}
        """Unfinished ones."""
        self.tallies: dict[JobId, Tally] = {}
        self.task_ids: dict[JobId, dict[TaskId, int]] = {}
        """Of each job's tasks the place in the order in which they were added."""
        self.tasks: dict[TaskId, Task] = {}
        """Of unfinished jobs; of finished ones those that are still stopping."""
        self.current: dict[TaskId, AttemptId] = {}
        """Of each task, its attempt that has not ended."""

        self.accounts = Accounts(policy)
        self.queue = ReadyQueue(self.accounts)
        self.places = Places()
        self.promised: dict[TaskId, WorkerId] = {}
        self.reserved: dict[TaskId, float] = {}
        """Of these, such as keep a worker free though nothing stops for them, until when."""
        self.dependencies = Dependencies()
        self.timers = Timers(partial(due_at, self))
        self.counts = JobCounts()
        self.story = Story()
        self._blockers = Blockers()

    def begin(self, now: float) -> None:
        """Begin to handle an event at the time `now`."""
        self.now = now
        self.tick = now // TICK_SECONDS * TICK_SECONDS
        """As often do owners' accounts, and so the order, change of themselves."""
        self.journal = Journal()

    def tasks_of(self, job_id: JobId) -> list[Task]:
        """In the order in which they were added."""
        return [self.tasks[task_id] for task_id in self.task_ids.get(job_id, ())]

    def may_start(self, task: Task) -> bool:
        """Whether a ready task is held back by nothing. What publishes is never held back."""
        if task.final:
            return True
        return not self.jobs[task.job_id].held and task.job_id not in self.dependencies

    # ---------------------------------------------------------------- jobs

    def add_job(self, job: Job, spec: Document) -> None:
        self.journal.specs[job.id] = spec
        self.put_job(job)

    def put_job(self, job: Job) -> None:
        old = self.jobs.get(job.id)
        self.hold_job(job)
        if old is not None and old.plan != job.plan:
            self.tallies[job.id] = tally(job, self.tasks_of(job.id))
        self.journal.jobs[job.id] = job

    def hold_job(self, job: Job) -> None:
        """Take a job in, or its new version, without a change of its row."""
        old = self.jobs.get(job.id)
        self.jobs[job.id] = job
        if old is None:
            self.task_ids[job.id] = {}
            self.tallies[job.id] = Tally()
        else:
            self.counts.count(old, -1)
        self.counts.count(job, 1)

    def may_start_now(self, job_id: JobId) -> None:
        """A job that waited for others waits no more."""
        for task in self.tasks_of(job_id):
            if task.state is _READY:
                self.put_task(replace(task, ready_at=self.now))

    def forget_job(self, job_id: JobId) -> None:
        """Let go of a finished job; what is still stopping is kept."""
        self.counts.count(self.jobs.pop(job_id), -1)
        self.dependencies.forget(job_id)
        del self.tallies[job_id]
        for task_id in self.task_ids.pop(job_id):
            self._blockers.forget(task_id)
            if task_id not in self.current:
                del self.tasks[task_id]

    def move_job(self, job: Job, moved: Job, why: str, who: str) -> None:
        """Move a job to the state that it has in `moved`, or a new one to its first. Raises
        IllegalTransition."""
        job_id, target, journal = job.id, moved.state, self.journal
        source = None if job_id in journal.specs else job.state
        if source is not None and target not in JOB_TABLE[source]:
            check(job_id, source, target, self.story.of(job_id))
        journal.transitions.append(JobTransitioned(job_id, source, target, self.now, why, who))
        self.story.add(self.now, job_id, target, why)
        journal.jobs[job_id] = moved
        self.hold_job(moved)

    def because(self, job_id: JobId, why: str, who: str) -> None:
        """Say why a job's state may change in this event; the last one said counts."""
        self.journal.reasons[job_id] = (why, who)

    # ---------------------------------------------------------------- tasks

    def add_task(self, task: Task, payload: Document) -> None:
        self.journal.payloads[task.id] = payload
        if task.state is _READY:
            task = replace(task, ready_at=self.now)
        self.put_task(task)
        if task.state is _DELAYED:
            self.timers.set(Due.RETRY, task.id)

    def put_task(self, task: Task) -> None:
        waits = False
        if task.state is _WAITING:
            old = self.tasks.get(task.id)
            waits = old is None or old.state is not _WAITING
        self.hold_task(task)
        self.journal.tasks[task.id] = task
        if waits:
            self.watch(task)
        if task.job_id not in self.jobs and task.id not in self.current:
            del self.tasks[task.id]

    def hold_task(self, task: Task) -> None:
        """Take a task in, or its new version, without a change of its row."""
        task_id, job_id = task.id, task.job_id
        old = self.tasks.get(task_id)
        job = self.jobs.get(job_id)
        self.tasks[task_id] = task
        if job is None:
            return
        ids = self.task_ids[job_id]
        if task_id not in ids:
            ids[task_id] = len(ids)
            task = self.tasks[task_id] = replace(task, needs=self.queue.shape(task.needs))
            old = None
        if task.plan == job.plan:
            counts = self.tallies[job_id]
            if old is not None:
                counts.count(old, -1)
            counts.count(task)
        if old is None:
            self._queue_if_ready(task, job)
        elif task.state is _READY or old.state is _READY:
            self.requeue(task)

    def change_task(
        self, task: Task, target: TaskState, why: str, who: str, **changes: Any
    ) -> Task:
        """Move a task to another state, and change other fields of it. Returns what it is then.
        Raises IllegalTransition."""
        ready_at = self.now if target is _READY else None
        moved = replace(task, state=target, ready_at=ready_at, **changes)
        self.move_task(task, moved, why, who)
        return moved

    def move_task(self, task: Task, moved: Task, why: str, who: str) -> None:
        """Move a task to the state that it has in `moved`. Raises IllegalTransition."""
        target = moved.state
        if target not in TASK_TABLE[task.state]:
            check(task.id, task.state, target, self.story.of(task.job_id))
        self.story.add(self.now, task.id, target, why)
        self.journal.reasons[task.job_id] = (why, who)
        self.put_task(moved)
        if target is _SUCCEEDED:
            self._unblock(moved)
        elif target is _DELAYED:
            self.timers.set(Due.RETRY, task.id)

    def requeue(self, task: Task) -> None:
        """Have a task in the queue exactly when it may start now."""
        if task.id in self.promised:
            self.unpromise(task.id)
        self.queue.discard(task)
        self._queue_if_ready(task, self.jobs[task.job_id])

    def _queue_if_ready(self, task: Task, job: Job) -> None:
        if task.state is _READY and self.may_start(task):
            self.queue.push(task, job, self.task_ids[job.id][task.id], self.tick)

    def watch(self, task: Task) -> None:
        """Have a waiting task made ready when all that it waits for, now or soon here, has
        succeeded."""
        blockers = [each for each in task.waits_for if not self._has_succeeded(each)]
        self._blockers.watch(task.id, blockers)

    def _has_succeeded(self, task_id: TaskId) -> bool:
        task = self.tasks.get(task_id)
        return task is not None and task.state is _SUCCEEDED

    def _unblock(self, succeeded: Task) -> None:
        for task_id in self._blockers.succeeded(succeeded.id):
            task = self.tasks[task_id]
            if task.state is _WAITING:
                why = f"all that {task.name} waited for has succeeded"
                self.change_task(task, _READY, why, "scheduler")

    # ---------------------------------------------------------------- promises

    def promise(self, task: Task, worker_id: WorkerId, promise: Promise) -> None:
        if self.queue.promise(task):
            self.promised[task.id] = worker_id
            self.places.promise(worker_id, task.id, promise)

    def unpromise(self, task_id: TaskId) -> None:
        worker_id = self.promised.pop(task_id, None)
        if worker_id is not None:
            task = self.tasks[task_id]
            self.places.unpromise(worker_id, task_id)
            job = self.jobs[task.job_id]
            self.queue.unpromise(task, job, self.task_ids[job.id][task_id], self.tick)
            self.reserved.pop(task_id, None)
            self._may_have_more(self.accounts.of(job.owner))

    def reserve(self, task_id: TaskId, until: float) -> None:
        """Let a promise that nothing stops for be broken at `until`."""
        self.reserved[task_id] = until
        self.timers.set(Due.RESERVATION, task_id)

    def _may_have_more(self, account: Account) -> None:
        if account.policy.max_running is not None and not account.full:
            self.queue.resume(account.owner, self.tick)
