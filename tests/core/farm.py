"""A farm in miniature: an engine, its committed rows, and a hand to play the workers with."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from ffrtmp_ray.core import invariants
from ffrtmp_ray.core.messages import (
    CancelRequested,
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
    Failure,
    FailureKind,
    Job,
    JobId,
    JobState,
    Needs,
    NewTask,
    Policy,
    Priority,
    Queue,
    Requirement,
    Resources,
    Task,
    TaskState,
    Worker,
)
from ffrtmp_ray.core.scheduler import Scheduler
from tests.core.rows import Rows

PLAN_SLOT = Resources(plan_slots=1)
LIGHT_SLOT = Resources(light_slots=1)


def needs(*alternatives: Resources, capabilities: Iterable[str] = ()) -> Needs:
    able = frozenset(capabilities)
    return Needs(tuple(Requirement(each, able) for each in alternatives))


def cpus(*counts: int, capabilities: Iterable[str] = ()) -> Needs:
    """As many CPUs as the first of `counts`, else as the next."""
    return needs(*(Resources(cpus=each) for each in counts), capabilities=capabilities)


GPU = needs(Resources(gpu_sessions=1))
PLAN = NewTask("plan", "plan", needs(PLAN_SLOT), weight=0.0)
FINISH = NewTask("finish", "finish", needs(LIGHT_SLOT), waits_for=("encode",))
PUBLISH = NewTask("publish", "publish", needs(PLAN_SLOT), final=True, weight=0.0)


def encode(count: int = 4, name: str = "encode") -> NewTask:
    return NewTask(name, "encode", cpus(count))


def make_job(job_id: JobId = "job", order: int = 1, **fields: object) -> Job:
    job = Job(
        id=job_id,
        owner="ann",
        queue=Queue.DEFAULT,
        priority=Priority.MEDIUM,
        state=JobState.PENDING,
        submitted_at=0.0,
        order=order,
    )
    job = replace(job, **fields)  # type: ignore[arg-type]  # fields of Job, by name
    return replace(job, queue=Queue(job.queue), priority=Priority(job.priority))


def make_worker(worker_id: str = "w1", cpus: int = 4, **fields: object) -> Worker:
    worker = Worker(
        id=worker_id,
        node_id=f"node-of-{worker_id}",
        hostname=f"host-of-{worker_id}",
        device="cpu",
        capacity=Resources(cpus=cpus, plan_slots=2, light_slots=2),
    )
    return replace(worker, **fields)  # type: ignore[arg-type]  # fields of Worker, by name


def make_task(name: str = "encode", state: TaskState = TaskState.READY, **fields: object) -> Task:
    task = Task(id=f"job-{name}", job_id="job", name=name, kind=name, needs=cpus(1), state=state)
    return replace(task, **fields)  # type: ignore[arg-type]  # fields of Task, by name


class Farm:
    """Every event goes through `send`, which commits what follows and checks the invariants."""

    def __init__(self, policy: Policy | None = None) -> None:
        self.policy = policy or Policy()
        self.epoch = 1
        self.now = 1000.0
        self.rows = Rows()
        self.engine = Scheduler(self.policy, self.epoch, now=self.now)
        self.orders: dict[str, dict[str, Level]] = {}
        """What every worker was last told to have."""
        self._order = 0

    def send(self, event: Event, *, after: float = 0.0) -> Outcome:
        self.now += after
        outcome = self.engine.handle(event, self.now)
        self.rows.commit(outcome.changes)
        for command in outcome.commands:
            if isinstance(command, Sync):
                self.orders[command.worker_id] = dict(command.attempts)
        invariants.check(self.engine)
        return outcome

    def restart(self) -> None:
        self.epoch += 1
        self.rows.shares = self.engine.shares()
        self.engine = Scheduler(self.policy, self.epoch, self.rows.snapshot(), self.now)
        self.tick()

    def tick(self, after: float = 0.0) -> Outcome:
        return self.send(Tick(), after=after)

    # ---------------------------------------------------------------- callers

    def submit(self, job_id: JobId = "job", *tasks: NewTask, **fields: object) -> Outcome:
        """A job of these tasks (one plan, when none are given)."""
        self._order += 1
        job = make_job(job_id, self._order, submitted_at=self.now, **fields)
        return self.send(JobSubmitted(job, tasks or (PLAN,)))

    def pause(self, job_id: JobId = "job") -> Outcome:
        return self.send(PauseRequested(job_id, "ann"))

    def resume(self, job_id: JobId = "job") -> Outcome:
        return self.send(ResumeRequested(job_id, "ann"))

    def cancel(self, job_id: JobId = "job") -> Outcome:
        return self.send(CancelRequested(job_id, "ann"))

    def retry(self, job_id: JobId = "job") -> Outcome:
        return self.send(RetryRequested(self.rows.jobs[job_id], self.rows.tasks_of(job_id), "ann"))

    # ---------------------------------------------------------------- workers

    def join(self, worker_id: str = "w1", cpus: int = 4, **fields: object) -> Outcome:
        return self.send(WorkerJoined(make_worker(worker_id, cpus, **fields)))

    def lose(self, worker_id: str = "w1", *, orderly: bool = False) -> Outcome:
        return self.send(WorkerLost(worker_id, "its node is gone", orderly=orderly))

    def drain(self, worker_id: str = "w1") -> Outcome:
        return self.send(DrainRequested(worker_id))

    def end_drain(self, worker_id: str = "w1") -> Outcome:
        return self.send(DrainEnded(worker_id))

    def start(self, task_id: str) -> Outcome:
        attempt = self.attempt(task_id)
        return self.send(TaskStarted(attempt.worker_id, attempt.id))

    def suspended(self, task_id: str) -> Outcome:
        attempt = self.attempt(task_id)
        return self.send(TaskSuspended(attempt.worker_id, attempt.id))

    def continued(self, task_id: str) -> Outcome:
        attempt = self.attempt(task_id)
        return self.send(TaskContinued(attempt.worker_id, attempt.id))

    def succeed(self, task_id: str, *spawn: NewTask) -> Outcome:
        attempt = self.attempt(task_id)
        return self.send(TaskSucceeded(attempt.worker_id, attempt.id, {"of": task_id}, spawn))

    def replace(self, task_id: str, *spawn: NewTask) -> Outcome:
        attempt = self.attempt(task_id)
        return self.send(TaskReplaced(attempt.worker_id, attempt.id, "frames are missing", spawn))

    def fail(self, task_id: str, kind: FailureKind = FailureKind.CRASHED) -> Outcome:
        attempt = self.attempt(task_id)
        failure = Failure(kind, "ffmpeg ended with 1")
        return self.send(TaskFailed(attempt.worker_id, attempt.id, failure, "its log"))

    def stopped(self, task_id: str) -> Outcome:
        attempt = self.attempt(task_id)
        return self.send(TaskStopped(attempt.worker_id, attempt.id, "its log"))

    # ---------------------------------------------------------------- reads

    def attempt(self, task_id: str) -> Attempt:
        attempt = self.engine.attempt_of(task_id)
        assert attempt is not None, f"{task_id} has no attempt"
        return attempt

    def job(self, job_id: JobId = "job") -> Job:
        return self.rows.jobs[job_id]

    def failure(self, job_id: JobId = "job") -> Failure:
        failure = self.job(job_id).failure
        assert failure is not None, f"{job_id} has not failed"
        return failure

    def task(self, task_id: str) -> Task:
        return self.rows.tasks[task_id]

    def running(self, *tasks: NewTask, job_id: JobId = "job", **fields: object) -> None:
        """A job of these tasks that all run."""
        self.submit(job_id, *tasks, **fields)
        for task in tasks:
            self.start(f"{job_id}-{task.name}")
