"""Everything the engine holds, with its indexes. Changed through the methods here and in `work`
alone, which keep the indexes true and write each changed row into the journal; decides nothing."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from ffrtmp_ray.core import claims
from ffrtmp_ray.core.lifecycle import ENDING
from ffrtmp_ray.core.messages import Level
from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    JobId,
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
from ffrtmp_ray.core.placement import Claim
from ffrtmp_ray.core.work import Work

_PLACED: Final = TaskState.PLACED
_STOPPING: Final = TaskState.STOPPING
_LIVE: Final = Queue.LIVE
_WANTED: Final = (_PLACED, TaskState.RUNNING, TaskState.SUSPENDED)
_RUN: Final = Level.RUN
_SUSPEND: Final = Level.SUSPEND


class State(Work):
    """Adds who does it: attempts, and workers."""

    def __init__(self, policy: Policy, epoch: int, now: float) -> None:
        super().__init__(policy, epoch, now)
        self.attempts: dict[AttemptId, Attempt] = {}
        """Those that have not ended."""
        self.open_attempts: dict[JobId, int] = {}
        self.workers: dict[WorkerId, Worker] = {}
        self.placements = 0
        """Outside the live queue, since the last turn of a task that had waited too long."""
        self.discarding: set[JobId] = set()
        """Failed and canceled jobs of which attempts are still stopping."""
        self._owners: dict[AttemptId, str] = {}
        """Whose account pays: of a finished job's attempts nothing else would tell."""

    # ---------------------------------------------------------------- reads

    def attempt_of(self, task_id: TaskId) -> Attempt | None:
        attempt_id = self.current.get(task_id)
        return None if attempt_id is None else self.attempts[attempt_id]

    def attempts_on(self, worker_id: WorkerId) -> list[Attempt]:
        place = self.places.get(worker_id)
        return [] if place is None else list(place.attempts.values())

    def wanted(self, worker_id: WorkerId) -> dict[AttemptId, Level]:
        wanted = {}
        for attempt in self.attempts_on(worker_id):
            task = self.tasks[attempt.task_id]
            if task.state in _WANTED:
                held = claims.is_held(task, self.jobs[task.job_id])
                wanted[attempt.id] = _SUSPEND if held else _RUN
        return wanted

    def yields_to(self, task: Task) -> Claim:
        return claims.yields_to(task, self.jobs.get(task.job_id), self.policy)

    # ---------------------------------------------------------------- attempts

    def place(self, task: Task, worker_id: WorkerId, grant: Requirement) -> None:
        """Order a new attempt at a ready task."""
        number, job_id = task.attempts + 1, task.job_id
        attempt_id = f"{task.id}-{self.epoch}-{number}"
        attempt = Attempt(
            id=attempt_id,
            task_id=task.id,
            job_id=job_id,
            number=number,
            worker_id=worker_id,
            grant=grant,
            placed_at=self.now,
        )
        placed = replace(task, state=_PLACED, ready_at=None, attempts=number)
        self.move_task(task, placed, f"{task.name} was placed on {worker_id}", "scheduler")
        self.hold_attempt(attempt)
        journal = self.journal
        journal.attempts[attempt_id] = attempt
        journal.new_attempts.add(attempt_id)
        journal.synced[worker_id] = None
        journal.decided("placed")
        self.queue.placed(task, self.now)
        if self.jobs[job_id].queue is not _LIVE:
            self.placements += 1

    def hold_attempt(self, attempt: Attempt) -> None:
        """Take in an attempt that has not ended, without a change of its row."""
        attempt_id, task_id, job_id = attempt.id, attempt.task_id, attempt.job_id
        self.attempts[attempt_id] = attempt
        self.current[task_id] = attempt_id
        self.open_attempts[job_id] = self.open_attempts.get(job_id, 0) + 1
        job = self.jobs.get(job_id)
        self.places.hold(attempt, claims.yields_to(self.tasks[task_id], job, self.policy))
        if job is not None:
            owner = self._owners[attempt_id] = job.owner
            self.accounts.start(owner, task_id, attempt.grant.resources, self.tick)

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
        if task.state is not _STOPPING:
            task = self.change_task(task, _STOPPING, why, who, stop_reason=reason)
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
        journal = self.journal
        journal.attempts[attempt.id] = replace(attempt, ended_at=self.now, outcome=outcome)
        if log is not None:
            journal.logs[attempt.id] = log
        journal.synced[attempt.worker_id] = None
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
            account = self.accounts.of(owner)
            account.end(attempt.task_id, self.tick)
            self._may_have_more(account)

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
