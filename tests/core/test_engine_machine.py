"""The engine against everything that a farm may do to it, in any order.

Workers obey orders late, repeated, out of order or never; their reports are late, repeated and
mixed; workers die; schedulers die, also between an event and its commit. After every step all
invariants hold; in the end, when nothing more goes wrong, every job that can end has ended.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)

from ffrtmp_ray.core import invariants
from ffrtmp_ray.core.messages import (
    CancelRequested,
    ChangeRequested,
    DrainEnded,
    DrainRequested,
    JobSubmitted,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    Tick,
    WorkerJoined,
    WorkerLost,
)
from ffrtmp_ray.core.model import (
    Failure,
    FailureKind,
    Job,
    JobState,
    Priority,
    Queue,
    Resources,
    TaskState,
)
from ffrtmp_ray.errors import Conflict, InvalidRequest, JobNotFound, QueueFull
from tests.core.commotion import KINDS, Commotion, Request, encodes, pick
from tests.core.farm import PLAN, make_job, make_worker
from tests.core.workers import FakeWorker

ANY = st.integers(0, 10**6)
"""Picks one of what there is: see `pick`."""
MOST_JOBS = 6
COMPLETED = JobState.COMPLETED
REQUESTS = (PauseRequested, ResumeRequested, CancelRequested)


class Engine(Commotion):
    # ---------------------------------------------------------------- the scheduler's process

    @rule(which=ANY, forgets=st.booleans())
    def the_scheduler_restarts(self, which: int, forgets: bool) -> None:
        """It may have handled a report whose changes it never committed."""
        reports = self.reports()
        if forgets and reports:
            self.engine.handle(pick(reports, which), self.now)
        self.restart()

    @rule(seconds=st.sampled_from([0.0, 0.3, 5.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.send(Tick())

    # ---------------------------------------------------------------- callers

    @precondition(lambda self: len(self.engine.jobs) < MOST_JOBS)
    @rule(
        queue=st.sampled_from(Queue),
        priority=st.sampled_from(Priority),
        urgent=st.booleans(),
        preemptible=st.booleans(),
        timeout=st.sampled_from([None, None, 20.0]),
        count=st.integers(0, 3),
        shape=ANY,
        owner=st.sampled_from(["ann", "bob", "limited"]),
        waits=st.sampled_from([None, None, None, 7.0]),
        other=st.one_of(st.none(), st.none(), ANY),
    )
    def a_job_is_submitted(
        self,
        queue: Queue,
        priority: Priority,
        urgent: bool,
        preemptible: bool,
        timeout: float | None,
        count: int,
        shape: int,
        owner: str = "ann",
        waits: float | None = None,
        other: int | None = None,
    ) -> None:
        """It starts with a plan or, to come to the point, with what a plan would add."""
        depends_on = () if other is None or not self.rows.jobs else (self.some_job(other).id,)
        order = len(self.rows.jobs) + 1
        job = make_job(
            f"j{order}",
            order,
            queue=queue,
            priority=priority,
            urgent=urgent,
            preemptible=preemptible,
            timeout_seconds=timeout,
            max_attempts=2,
            submitted_at=self.now,
            owner=owner,
            not_before=None if waits is None else self.now + waits,
            depends_on=depends_on,
        )
        tasks = encodes(count, shape) if count else (PLAN,)
        finished = {j.id: j.state for j in self.rows.jobs.values() if j.state.terminal}
        try:
            self.send(JobSubmitted(job, tasks, finished=finished))
        except QueueFull:
            assert self.waiting_of(owner) >= 2
            assert owner == "limited"
        except InvalidRequest:
            assert any(finished.get(each, COMPLETED) is not COMPLETED for each in depends_on)

    def some_job(self, which: int) -> Job:
        return pick(list(self.rows.jobs.values()), which)

    def waiting_of(self, owner: str) -> int:
        waiting = (JobState.PENDING, JobState.QUEUED)
        return sum(j.owner == owner and j.state in waiting for j in self.rows.jobs.values())

    @precondition(lambda self: self.rows.jobs)
    @rule(which=ANY, queue=st.sampled_from(Queue), priority=st.sampled_from(Priority))
    def a_job_gets_another_place(self, which: int, queue: Queue, priority: Priority) -> None:
        job = self.some_job(which)
        try:
            self.send(ChangeRequested(job.id, "ann", queue, priority, {"changed": "yes"}))
        except JobNotFound:
            assert job.state.terminal
        except Conflict:
            assert (job.queue is Queue.LIVE) != (queue is Queue.LIVE)

    @precondition(lambda self: self.rows.jobs)
    @rule(which=ANY, request=st.sampled_from(REQUESTS))
    def a_job_is_paused_resumed_or_canceled(
        self,
        which: int,
        request: Request,
    ) -> None:
        self.request(pick(list(self.rows.jobs.values()), which), request)

    @precondition(lambda self: self.at_work())
    @rule(which=ANY, request=st.sampled_from(REQUESTS), succeeds=st.booleans())
    def a_running_job_is_disturbed(self, which: int, request: Request, succeeds: bool) -> None:
        """Its task may have succeeded a moment before, and nobody knows yet."""
        worker, attempt = pick(self.at_work(), which)
        if succeeds:
            self.succeed(worker, attempt, 2, which)
        self.request(self.rows.jobs[attempt.job_id], request)

    @precondition(lambda self: self.rows.jobs)
    @rule(which=ANY)
    def a_job_is_retried(self, which: int) -> None:
        job = pick(list(self.rows.jobs.values()), which)
        finished = {j.id: j.state for j in self.rows.jobs.values() if j.state.terminal}
        try:
            self.send(RetryRequested(job, self.rows.tasks_of(job.id), "ann", finished))
        except Conflict:
            in_vain = any(finished.get(each, COMPLETED) is not COMPLETED for each in job.depends_on)
            assert in_vain or job.state not in (JobState.FAILED, JobState.CANCELED)

    @precondition(lambda self: self.rows.workers)
    @rule(which=ANY, draining=st.booleans())
    def a_worker_is_drained_or_not(self, which: int, draining: bool) -> None:
        worker_id = pick(sorted(self.rows.workers), which)
        self.send(DrainRequested(worker_id) if draining else DrainEnded(worker_id))

    # ---------------------------------------------------------------- workers

    @initialize(kinds=st.lists(ANY, min_size=1, max_size=3), queue=st.sampled_from(Queue))
    def a_farm_at_work(self, kinds: list[int], queue: Queue) -> None:
        for kind in kinds:
            self.a_worker_joins(kind)
        self.a_job_is_submitted(queue, Priority.MEDIUM, False, True, None, 3, 0)
        self.the_farm_works(1, 3, 1)

    @rule(kind=ANY)
    def a_worker_joins(self, kind: int) -> None:
        if len(self.workers) < 4:
            self.joined += 1
            worker = make_worker(f"w{self.joined}")
            like = pick(KINDS, kind)
            worker = type(worker)(
                worker.id,
                worker.node_id,
                worker.hostname,
                like.device,
                like.capacity,
                like.capabilities,
            )
            self.workers[worker.id] = FakeWorker(worker)
            self.send(WorkerJoined(worker))

    @precondition(lambda self: len(self.workers) > 1)
    @rule(which=ANY, orderly=st.booleans(), noticed=st.booleans())
    def a_worker_dies(self, which: int, orderly: bool, noticed: bool) -> None:
        """What it had not reported is never heard. Nobody may notice before a restart."""
        worker_id = pick(sorted(self.workers), which)
        del self.workers[worker_id]
        self.mail.pop(worker_id, None)
        if noticed:
            self.send(WorkerLost(worker_id, "its node is gone", orderly=orderly))

    @precondition(lambda self: any(self.mail.values()))
    @rule(which=ANY, again=st.booleans())
    def an_order_arrives(self, which: int, again: bool) -> None:
        """Any of those under way, and some of them twice."""
        worker_id = pick(sorted(w for w, orders in self.mail.items() if orders), which)
        order = pick(self.mail[worker_id], which // 7)
        self.workers[worker_id].obey(order)
        if not again:
            self.mail[worker_id].remove(order)

    @precondition(lambda self: any(self.mail.values()))
    @rule(which=ANY)
    def orders_are_lost(self, which: int) -> None:
        self.mail[pick(sorted(w for w, orders in self.mail.items() if orders), which)].clear()

    @precondition(lambda self: self.workers)
    @rule(which=ANY)
    def a_worker_is_told_again(self, which: int) -> None:
        self.tell(pick(sorted(self.workers), which))

    @precondition(lambda self: self.at_work())
    @rule(which=ANY, count=st.integers(1, 3), shape=ANY)
    def a_task_succeeds(self, which: int, count: int, shape: int) -> None:
        self.succeed(*pick(self.at_work(), which), count, shape)

    @precondition(lambda self: self.at_work())
    @rule(which=ANY, shape=ANY, again=st.booleans())
    def a_task_has_the_job_planned_anew(self, which: int, shape: int, again: bool) -> None:
        worker, attempt = pick(self.at_work(), which)
        if self.rows.tasks[attempt.task_id].kind == "encode":
            worker.replace(attempt.id, (PLAN,) if again else encodes(1, shape))

    @precondition(lambda self: self.at_work())
    @rule(which=ANY, kind=st.sampled_from(FailureKind))
    def a_task_fails(self, which: int, kind: FailureKind) -> None:
        worker, attempt = pick(self.at_work(), which)
        worker.fail(attempt.id, Failure(kind, f"it was {kind}"))

    @precondition(lambda self: self.at_work())
    @rule(which=ANY)
    def a_worker_gives_a_task_up(self, which: int) -> None:
        worker, attempt = pick(self.at_work(), which)
        worker.give_up(attempt.id)

    @precondition(lambda self: self.reports())
    @rule(which=ANY, acknowledged=st.booleans())
    def a_report_arrives(self, which: int, acknowledged: bool) -> None:
        self.hear(pick(self.reports(), which), acknowledged=acknowledged)

    @precondition(lambda self: self.heard)
    @rule(which=ANY)
    def an_old_report_arrives_once_more(self, which: int) -> None:
        self.send(pick(self.heard, which))

    # ---------------------------------------------------------------- and often all goes well

    @rule(rounds=st.integers(1, 3), some=st.integers(0, 3), shape=ANY)
    def the_farm_works(self, rounds: int, some: int, shape: int) -> None:
        """Orders and reports arrive, and the first tasks of those at work succeed."""
        for _ in range(rounds):
            self.all_that_was_sent_arrives()
            for worker, attempt in self.at_work()[:some]:
                self.succeed(worker, attempt, 1 + shape % 3, shape)
            self.all_that_was_sent_arrives()

    @rule()
    def all_that_was_sent_arrives(self) -> None:
        for worker_id in sorted(self.workers):
            self.tell(worker_id)
        while reports := self.reports():
            self.hear(reports[0], acknowledged=True)

    # ---------------------------------------------------------------- what is always true

    @invariant()
    def the_invariants_hold(self) -> None:
        invariants.check(self.engine)

    @invariant()
    def memory_equals_what_is_committed(self) -> None:
        unfinished = {j.id: j for j in self.rows.jobs.values() if not j.state.terminal}
        assert dict(self.engine.jobs) == unfinished
        assert dict(self.engine.workers) == self.rows.workers
        for job_id in unfinished:
            assert self.engine.tasks_of(job_id) == self.rows.tasks_of(job_id)
        for attempt in self.rows.snapshot().attempts:
            assert self.engine.attempt_of(attempt.task_id) == attempt

    @invariant()
    def every_change_of_what_is_wanted_is_ordered(self) -> None:
        for worker_id in self.rows.workers:
            assert self.ordered[worker_id] == self.engine.wanted(worker_id)

    @invariant()
    def no_worker_has_more_at_work_than_it_can_take(self) -> None:
        for worker in self.workers.values():
            taken = Resources()
            for attempt_id in worker.running:
                taken += self.rows.attempts[attempt_id].grant.resources
            assert taken.within(worker.worker.capacity)

    @invariant()
    def a_finished_job_has_no_task_that_goes_on(self) -> None:
        for job in self.rows.jobs.values():
            states = {task.state for task in self.rows.tasks_of(job.id)}
            current = {t.state for t in self.rows.tasks_of(job.id) if t.plan == job.plan}
            if job.state is JobState.COMPLETED:
                assert current == {TaskState.SUCCEEDED}
            if job.state.terminal:
                going_on = {state for state in states if not state.terminal}
                assert going_on <= {TaskState.STOPPING}

    @invariant()
    def what_was_published_is_never_canceled(self) -> None:
        for job_id in self.published:
            assert self.rows.jobs[job_id].state is not JobState.CANCELED

    # ---------------------------------------------------------------- and what comes of it

    def teardown(self) -> None:
        """Nothing goes wrong any more: all jobs end that are not paused and that a worker fits."""
        self.the_dead_are_noticed()
        for worker_id in sorted(self.rows.workers):
            self.send(DrainEnded(worker_id))
        self.run_to_the_end()
        self.assert_ended(lambda job: not job.held)
        for job_id in list(self.engine.jobs):
            self.send(ResumeRequested(job_id, "ann"))
        self.run_to_the_end()
        self.assert_ended(lambda _: True)
        assert not any(worker.running for worker in self.workers.values())

    def run_to_the_end(self) -> None:
        """Time passes only when nothing else happens."""
        for _ in range(1000):
            before = self.history()
            self.the_farm_works(1, 10**6, 1)
            self.check()
            if before != self.history():
                continue
            if self.engine.next_wake is None:
                return
            self.now = max(self.now, self.engine.next_wake)
            self.send(Tick())
        raise AssertionError("the farm does not come to rest")

    def check(self) -> None:
        self.the_invariants_hold()
        self.memory_equals_what_is_committed()
        self.every_change_of_what_is_wanted_is_ordered()
        self.no_worker_has_more_at_work_than_it_can_take()

    def assert_ended(self, concerns: Callable[[Job], bool]) -> None:
        for job in self.engine.jobs.values():
            if concerns(job):
                waiting = [t for t in self.engine.tasks_of(job.id) if t.state is TaskState.READY]
                assert waiting, f"{job.id} is {job.state}: {self.engine.tasks_of(job.id)}"
                for task in waiting:
                    self.assert_nobody_can(task)


QUICK = settings(
    max_examples=300,
    stateful_step_count=60,
    deadline=None,  # the machine is shared: a slow step is no failure
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.filter_too_much),
)
THOROUGH = settings(QUICK, max_examples=5000)
"""For a change of the engine: takes minutes, and finds more."""

TestEngine = Engine.TestCase
TestEngine.settings = THOROUGH if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else QUICK
