"""Everything the engine holds, with its indexes. Changed through the methods here alone, which
keep the indexes true and write each changed row into the journal; decides nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

from msgspec.structs import replace

from ffrtmp_ray.core import claims
from ffrtmp_ray.core.accounts import Accounts
from ffrtmp_ray.core.counts import JobCounts
from ffrtmp_ray.core.dependencies import Blockers, Dependencies
from ffrtmp_ray.core.due import due_at
from ffrtmp_ray.core.journal import Journal
from ffrtmp_ray.core.lifecycle import ENDING, Tally, advance_task, check, tally
from ffrtmp_ray.core.messages import JobTransitioned, Level
from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Document,
    Job,
    JobId,
    JobState,
    Policy,
    Queue,
    Requirement,
    StopReason,
    Task,
    TaskId,
    TaskState,
    Worker,
    WorkerId,
)
from ffrtmp_ray.core.placement import Claim, Places, Promise
from ffrtmp_ray.core.queue import ReadyQueue
from ffrtmp_ray.core.story import Story
from ffrtmp_ray.core.timers import Due, Timers

TICK_SECONDS = 5.0
"""Short beside a task; long enough that most decisions find the order as the one before left it."""

_WANTED = (TaskState.PLACED, TaskState.RUNNING, TaskState.SUSPENDED)


class State:
    def __init__(self, policy: Policy, epoch: int, now: float) -> None:
        self.policy = policy
        self.epoch = epoch
        self.now = now
        """Of the event that is being handled."""
        self.journal = Journal()

        self.jobs: dict[JobId, Job] = {}
        """Unfinished ones."""
        self.tallies: dict[JobId, Tally] = {}
        self.task_ids: dict[JobId, dict[TaskId, int]] = {}
        """Of each job's tasks the place in the order in which they were added."""
        self.tasks: dict[TaskId, Task] = {}
        """Of unfinished jobs; of finished ones those that are still stopping."""
        self.attempts: dict[AttemptId, Attempt] = {}
        """Those that have not ended."""
        self.current: dict[TaskId, AttemptId] = {}
        self.open_attempts: dict[JobId, int] = {}
        self.workers: dict[WorkerId, Worker] = {}

        self.accounts = Accounts(policy)
        self.queue = ReadyQueue(self.accounts)
        self.placements = 0
        """Outside the live queue, since the last turn of a task that had waited too long."""
        self.places = Places()
        self.promised: dict[TaskId, WorkerId] = {}
        self.reserved: dict[TaskId, float] = {}
        """Of these, such as keep a worker free though nothing stops for them, until when."""
        self.dependencies = Dependencies()
        self.timers = Timers(partial(due_at, self))
        self.discarding: set[JobId] = set()
        """Failed and canceled jobs of which attempts are still stopping."""
        self.counts = JobCounts()
        self._blockers = Blockers()
        self._owners: dict[AttemptId, str] = {}
        """Whose account pays: of a finished job's attempts nothing else would tell."""
        self.story = Story()

    # ---------------------------------------------------------------- reads

    @property
    def tick(self) -> float:
        """`now` in steps of TICK_SECONDS: as often do owners' accounts, and so the order, change
        of themselves."""
        return self.now // TICK_SECONDS * TICK_SECONDS

    def tasks_of(self, job_id: JobId) -> list[Task]:
        """In the order in which they were added."""
        return [self.tasks[task_id] for task_id in self.task_ids.get(job_id, ())]

    def attempt_of(self, task_id: TaskId) -> Attempt | None:
        attempt_id = self.current.get(task_id)
        return None if attempt_id is None else self.attempts[attempt_id]

    def attempts_on(self, worker_id: WorkerId) -> list[Attempt]:
        place = self.places.get(worker_id)
        return [] if place is None else list(place.attempts.values())

    def may_start(self, task: Task) -> bool:
        """Whether a ready task is held back by nothing. What publishes is never held back."""
        if task.final:
            return True
        return not self.jobs[task.job_id].held and task.job_id not in self.dependencies

    def wanted(self, worker_id: WorkerId) -> dict[AttemptId, Level]:
        return {
            attempt.id: Level.SUSPEND if claims.is_held(task, self.jobs[task.job_id]) else Level.RUN
            for attempt in self.attempts_on(worker_id)
            if (task := self.tasks[attempt.task_id]).state in _WANTED
        }

    def yields_to(self, task: Task) -> Claim:
        return claims.yields_to(task, self.jobs.get(task.job_id), self.policy)

    # ---------------------------------------------------------------- jobs

    def add_job(self, job: Job, spec: Document) -> None:
        self.journal.specs[job.id] = spec
        self.put_job(job)

    def put_job(self, job: Job) -> None:
        old = self.jobs.get(job.id)
        self.hold_job(job)
        if old is None or old.plan != job.plan:
            self.tallies[job.id] = tally(job, self.tasks_of(job.id))
        self.journal.jobs[job.id] = job

    def hold_job(self, job: Job) -> None:
        """Take a job in, or its new version, without a change of its row."""
        old = self.jobs.get(job.id)
        self.jobs[job.id] = job
        self.task_ids.setdefault(job.id, {})
        self.tallies.setdefault(job.id, Tally())
        if old is not None:
            self.counts.count(old, -1)
        self.counts.count(job, 1)

    def may_start_now(self, job_id: JobId) -> None:
        """A job that waited for others waits no more."""
        for task in self.tasks_of(job_id):
            if task.state is TaskState.READY:
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

    def move_job(self, job: Job, target: JobState, why: str, who: str) -> None:
        """Move a job to another state, or a new one to its first. Raises IllegalTransition."""
        source = None if job.id in self.journal.specs else job.state
        if source is not None:
            check(job.id, source, target, self.story.of(job.id))
        self.journal.transitions.append(JobTransitioned(job.id, source, target, self.now, why, who))
        self.story.note(self.now, job.id, target, why)
        self.put_job(replace(job, state=target))

    def because(self, job_id: JobId, why: str, who: str) -> None:
        """Say why a job's state may change in this event; the last one said counts."""
        self.journal.reasons[job_id] = (why, who)

    # ---------------------------------------------------------------- tasks

    def add_task(self, task: Task, payload: Document) -> None:
        self.journal.payloads[task.id] = payload
        if task.state is TaskState.READY:
            task = replace(task, ready_at=self.now)
        self.put_task(task)
        if task.state is TaskState.DELAYED:
            self.timers.set(Due.RETRY, task.id)

    def put_task(self, task: Task) -> None:
        old = self.tasks.get(task.id)
        self.hold_task(task)
        self.journal.tasks[task.id] = task
        if task.state is TaskState.WAITING and (old is None or old.state is not task.state):
            self.watch(task)
        if task.job_id not in self.jobs and task.id not in self.current:
            del self.tasks[task.id]

    def hold_task(self, task: Task) -> None:
        """Take a task in, or its new version, without a change of its row."""
        old = self.tasks.get(task.id)
        job = self.jobs.get(task.job_id)
        self.tasks[task.id] = task
        if job is None:
            return
        ids = self.task_ids[job.id]
        known = task.id in ids
        if not known:
            ids[task.id] = len(ids)
            task = self.tasks[task.id] = replace(task, needs=self.queue.shape(task.needs))
        if task.plan == job.plan:
            counts = self.tallies[job.id]
            if known and old is not None:
                counts.count(old, -1)
            counts.count(task)
        if task.state is TaskState.READY or (old is not None and old.state is TaskState.READY):
            self.requeue(task)

    def change_task(
        self, task: Task, target: TaskState, why: str, who: str, **changes: Any
    ) -> Task:
        """Move a task to another state. Raises IllegalTransition."""
        if target is TaskState.READY:
            changes["ready_at"] = self.now
        elif task.ready_at is not None:
            changes["ready_at"] = None
        new = advance_task(task, target, self.story.of(task.job_id), **changes)
        self.story.note(self.now, task.id, target, why)
        self.because(task.job_id, why, who)
        self.put_task(new)
        if target is TaskState.SUCCEEDED:
            self._unblock(new)
        elif target is TaskState.DELAYED:
            self.timers.set(Due.RETRY, task.id)
        return new

    def requeue(self, task: Task) -> None:
        """Have a task in the queue exactly when it may start now."""
        self.unpromise(task.id)
        self.queue.discard(task)
        if task.state is TaskState.READY and self.may_start(task):
            job = self.jobs[task.job_id]
            self.queue.push(task, job, self.task_ids[job.id][task.id], self.tick)

    def watch(self, task: Task) -> None:
        """Have a waiting task made ready when all that it waits for, now or soon here, has
        succeeded."""
        blockers = [each for each in task.waits_for if not self._has_succeeded(each)]
        self._blockers.watch(task.id, blockers)

    def _has_succeeded(self, task_id: TaskId) -> bool:
        task = self.tasks.get(task_id)
        return task is not None and task.state is TaskState.SUCCEEDED

    def _unblock(self, succeeded: Task) -> None:
        for task_id in self._blockers.succeeded(succeeded.id):
            task = self.tasks[task_id]
            if task.state is TaskState.WAITING:
                why = f"all that {task.name} waited for has succeeded"
                self.change_task(task, TaskState.READY, why, "scheduler")

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
            self._may_have_more(job.owner)

    def reserve(self, task_id: TaskId, until: float) -> None:
        """Let a promise that nothing stops for be broken at `until`."""
        self.reserved[task_id] = until
        self.timers.set(Due.RESERVATION, task_id)

    def _may_have_more(self, owner: str) -> None:
        account = self.accounts.of(owner)
        if account.policy.max_running is not None and not account.full:
            self.queue.resume(owner, self.tick)

    # ---------------------------------------------------------------- attempts

    def place(self, task: Task, worker_id: WorkerId, grant: Requirement) -> None:
        """Order a new attempt at a ready task."""
        number = task.attempts + 1
        attempt = Attempt(
            id=f"{task.id}-{self.epoch}-{number}",
            task_id=task.id,
            job_id=task.job_id,
            number=number,
            worker_id=worker_id,
            grant=grant,
            placed_at=self.now,
        )
        task = self.change_task(
            task,
            TaskState.PLACED,
            f"{task.name} was placed on {worker_id}",
            "scheduler",
            attempts=number,
        )
        self.hold_attempt(attempt)
        self.journal.attempts[attempt.id] = attempt
        self.journal.new_attempts.add(attempt.id)
        self.journal.synced[worker_id] = None
        self.journal.decided("placed")
        self.queue.placed(task, self.now)
        if self.jobs[task.job_id].queue is not Queue.LIVE:
            self.placements += 1

    def hold_attempt(self, attempt: Attempt) -> None:
        """Take in an attempt that has not ended, without a change of its row."""
        self.attempts[attempt.id] = attempt
        self.current[attempt.task_id] = attempt.id
        self.open_attempts[attempt.job_id] = self.open_attempts.get(attempt.job_id, 0) + 1
        self.places.hold(attempt, self.yields_to(self.tasks[attempt.task_id]))
        job = self.jobs.get(attempt.job_id)
        if job is not None:
            self._owners[attempt.id] = job.owner
            resources = attempt.grant.resources
            self.accounts.start(job.owner, attempt.task_id, resources, self.tick)

    def retract(self, attempt: Attempt) -> None:
        """Undo `place` in the event that it belongs to: of the attempt, no trace remains."""
        self._release(attempt)
        self.journal.decided("placed", -1)
        del self.journal.attempts[attempt.id]
        self.journal.new_attempts.remove(attempt.id)
        task = self.tasks[attempt.task_id]
        self.put_task(replace(task, state=TaskState.READY, attempts=task.attempts - 1))

    def start_attempt(self, attempt: Attempt) -> None:
        attempt = replace(attempt, started_at=self.now)
        self.attempts[attempt.id] = self.journal.attempts[attempt.id] = attempt
        self.places.hold(attempt, self.yields_to(self.tasks[attempt.task_id]))

    def stop_attempt(self, attempt: Attempt, reason: StopReason, why: str, who: str) -> None:
        """Order an attempt to stop. A reason that ends its task outweighs an earlier one."""
        task = self.tasks[attempt.task_id]
        if task.state is not TaskState.STOPPING:
            task = self.change_task(task, TaskState.STOPPING, why, who, stop_reason=reason)
        elif reason in ENDING:
            self.put_task(replace(task, stop_reason=reason))
            self.because(task.job_id, why, who)
        self.reconsider(attempt)

    def reconsider(self, attempt: Attempt) -> None:
        """See anew what an attempt yields to, and at which level it is wanted."""
        self.places.hold(attempt, self.yields_to(self.tasks[attempt.task_id]))
        self.journal.synced[attempt.worker_id] = None

    def end_attempt(self, attempt: Attempt, outcome: str, log: str | None) -> Task:
        """Free what an attempt held. Returns its task, whose state is for the caller to change."""
        ended = replace(attempt, ended_at=self.now, outcome=outcome)
        self.journal.attempts[attempt.id] = ended
        if log is not None:
            self.journal.logs[attempt.id] = log
        self.journal.synced[attempt.worker_id] = None
        self._release(attempt)
        if attempt.job_id in self.discarding and attempt.job_id not in self.open_attempts:
            self.discarding.remove(attempt.job_id)
            self.journal.discards[attempt.job_id] = None
        return self.tasks[attempt.task_id]

    def _release(self, attempt: Attempt) -> None:
        self.places.release(attempt)
        del self.attempts[attempt.id]
        del self.current[attempt.task_id]
        left = self.open_attempts.pop(attempt.job_id) - 1
        if left:
            self.open_attempts[attempt.job_id] = left
        owner = self._owners.pop(attempt.id, None)
        if owner is not None:
            self.accounts.of(owner).end(attempt.task_id, self.tick)
            self._may_have_more(owner)

    # ---------------------------------------------------------------- workers

    def put_worker(self, worker: Worker) -> None:
        if worker.id not in self.workers:
            self.journal.new_workers.add(worker.id)
        self.journal.workers[worker.id] = worker
        self.hold_worker(worker)

    def hold_worker(self, worker: Worker) -> None:
        """Take a worker in, or its new version, without a change of its row."""
        if worker.id in self.workers:
            self._break_promises(worker.id)  # what they count on may not be there any more
        self.workers[worker.id] = worker
        self.places.put_worker(worker)

    def remove_worker(self, worker_id: WorkerId) -> None:
        self._break_promises(worker_id)
        del self.workers[worker_id]
        self.places.remove_worker(worker_id)
        self.journal.removed_workers.append(worker_id)

    def _break_promises(self, worker_id: WorkerId) -> None:
        for task_id in list(self.places[worker_id].promises):
            self.unpromise(task_id)
