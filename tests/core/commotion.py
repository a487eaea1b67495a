"""The process of a scheduler and its workers, as a state machine has them: nothing happens by
itself, so that the rules of `test_engine_machine` may have everything happen in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from ffrtmp_ray.core.messages import (
    CancelRequested,
    Event,
    Level,
    Outcome,
    PauseRequested,
    Report,
    ResumeRequested,
    Sync,
    TaskStopped,
    Tick,
    WorkerLost,
)
from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Job,
    JobId,
    NewTask,
    OwnerPolicy,
    Policy,
    Resources,
    Task,
    WorkerId,
)
from ffrtmp_ray.core.scheduler import Scheduler
from ffrtmp_ray.errors import Conflict, JobNotFound
from tests.core.farm import PUBLISH, cpus, make_worker, needs
from tests.core.rows import Rows
from tests.core.workers import FakeWorker, Order

T = TypeVar("T")
Request: TypeAlias = type[PauseRequested | ResumeRequested | CancelRequested]

CODEC = frozenset({"libx264"})
POLICY = Policy(
    max_workers_lost=4,
    max_preemptions=2,
    suspend_limit=30.0,
    owners={"ann": OwnerPolicy(weight=3.0), "limited": OwnerPolicy(max_running=1, max_queued=2)},
    max_wait=6.0,
    turn_every=2,
    reserve_limit=30.0,
)
KINDS = (
    make_worker(cpus=2, capabilities=CODEC),
    make_worker(cpus=4, capabilities=CODEC),
    make_worker(cpus=8),
    make_worker(device="gpu0", capacity=Resources(cpus=2, gpu_sessions=1), capabilities=CODEC),
)
ENCODES = (
    cpus(4, 2, 1),
    cpus(2, capabilities=CODEC),
    cpus(6),
    needs(Resources(gpu_sessions=1), Resources(cpus=4), capabilities=CODEC),
)


def pick(choices: Sequence[T], which: int) -> T:
    return choices[which % len(choices)]


def encodes(count: int, shape: int) -> tuple[NewTask, ...]:
    """What a plan adds: encodes, audio beside them, and what finishes it all."""
    chunks = tuple(
        NewTask(f"encode{n}", "encode", pick(ENCODES, shape), weight=10.0) for n in range(count)
    )
    audio = NewTask("audio", "audio", needs(Resources(light_slots=1)))
    finish = NewTask(
        "finish",
        "finish",
        needs(Resources(light_slots=1)),
        waits_for=tuple(task.name for task in (*chunks, audio)),
    )
    return (*chunks, finish, audio)


class Commotion(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.epoch = 1
        self.rows = Rows()
        self.engine = Scheduler(POLICY, self.epoch, now=self.now)
        self.workers: dict[WorkerId, FakeWorker] = {}
        self.mail: dict[WorkerId, list[Order]] = {}
        """Orders under way."""
        self.revisions: dict[WorkerId, int] = {}
        self.ordered: dict[WorkerId, Mapping[AttemptId, Level]] = {}
        """What the engine last wanted of each worker, by its own orders."""
        self.heard: list[Report] = []
        """Reports that may come once more."""
        self.published: set[JobId] = set()
        self.joined = 0

    # ---------------------------------------------------------------- the scheduler's process

    def send(self, event: Event) -> Outcome:
        outcome = self.engine.handle(event, self.now)
        self.rows.commit(outcome.changes)
        for command in outcome.commands:
            if isinstance(command, Sync):
                self.ordered[command.worker_id] = command.attempts
                if command.worker_id in self.workers:
                    self.order(command.worker_id)
        return outcome

    def order(self, worker_id: WorkerId) -> Order:
        revision = self.revisions[worker_id] = self.revisions.get(worker_id, 0) + 1
        order = Order(self.epoch, revision, self.engine.wanted(worker_id))
        self.mail.setdefault(worker_id, []).append(order)
        return order

    def restart(self) -> None:
        self.epoch += 1
        self.revisions.clear()
        self.rows.shares = self.engine.shares()
        self.engine = Scheduler(POLICY, self.epoch, self.rows.snapshot(), self.now)
        self.ordered = {w: self.engine.wanted(w) for w in self.rows.workers}
        self.send(Tick())
        for worker_id in self.workers:
            self.order(worker_id)
        there = {attempt.worker_id for attempt in self.rows.snapshot().attempts}
        for worker_id in sorted(there | self.rows.workers.keys()):
            if worker_id not in self.workers:
                self.send(WorkerLost(worker_id, "it is not known any more"))

    # ---------------------------------------------------------------- callers

    def request(self, job: Job, request: Request) -> None:
        """It is refused exactly when the job is finished, or being published."""
        publishing = any(t.final and not t.state.terminal for t in self.rows.tasks_of(job.id))
        refused = publishing and request is not ResumeRequested and not job.state.terminal
        try:
            self.send(request(job.id, "ann"))
        except JobNotFound:
            assert job.state.terminal
        except Conflict:
            assert refused
        else:
            assert not refused
            assert not job.state.terminal

    # ---------------------------------------------------------------- workers

    def tell(self, worker_id: WorkerId) -> None:
        """What the link to a worker does after an error: the whole order once more, and then
        the end of all that was ordered to stop before the worker ever heard of it."""
        worker = self.workers[worker_id]
        worker.obey(self.order(worker_id))
        self.mail[worker_id].clear()
        for attempt in self.engine.attempts_on(worker_id):
            if attempt.id not in worker.wanted and not worker.has(attempt.id):
                self.send(TaskStopped(worker_id, attempt.id))

    def succeed(self, worker: FakeWorker, attempt: Attempt, count: int, shape: int) -> None:
        spawn: tuple[NewTask, ...] = ()
        task = self.rows.tasks[attempt.task_id]
        if task.kind == "plan":
            spawn = encodes(count, shape)
        elif task.kind == "finish":
            spawn = (PUBLISH,)
        elif task.final:
            self.published.add(task.job_id)
        worker.succeed(attempt.id, spawn)

    def the_dead_are_noticed(self) -> None:
        for worker_id in sorted(self.rows.workers.keys() - self.workers.keys()):
            self.send(WorkerLost(worker_id, "it was dead"))

    def hear(self, report: Report, *, acknowledged: bool) -> None:
        self.send(report)
        self.heard.append(report)
        if acknowledged:
            self.workers[report.worker_id].acknowledge(report)

    def reports(self) -> list[Report]:
        """Those that may arrive next: each attempt's come in their order."""
        kept = [reports for worker in self.workers.values() for reports in worker.reports.values()]
        return [reports[0] for reports in kept]

    def at_work(self) -> list[tuple[FakeWorker, Attempt]]:
        return [
            (worker, self.rows.attempts[attempt_id])
            for worker in self.workers.values()
            for attempt_id, level in worker.running.items()
            if level == "run"
        ]

    def history(self) -> tuple[int, int, int]:
        """Grows with all that happens."""
        return len(self.rows.attempts), len(self.rows.transitions), len(self.heard)

    def assert_nobody_can(self, task: Task) -> None:
        told = self.engine.explain(task.id) or ""
        why = ("no worker has what it needs", "there is no worker", "waits for other jobs")
        assert told.startswith(why), told
