"""What a store would hold: committed rows, stricter than any database about what may follow."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ffrtmp_ray.core.lifecycle import JOB_TABLE, TASK_TABLE
from ffrtmp_ray.core.messages import (
    AttemptAdded,
    AttemptChanged,
    Change,
    JobAdded,
    JobChanged,
    JobTransitioned,
    LabelsChanged,
    ResultAdded,
    TaskAdded,
    TaskChanged,
    WorkerAdded,
    WorkerChanged,
    WorkerRemoved,
)
from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Document,
    Job,
    JobId,
    JobState,
    Shares,
    Snapshot,
    Task,
    TaskId,
    Worker,
    WorkerId,
)

Row: TypeAlias = Job | Task | Attempt | Worker


@dataclass
class Rows:
    jobs: dict[JobId, Job] = field(default_factory=dict)
    tasks: dict[TaskId, Task] = field(default_factory=dict)
    attempts: dict[AttemptId, Attempt] = field(default_factory=dict)
    workers: dict[WorkerId, Worker] = field(default_factory=dict)
    results: dict[TaskId, Document] = field(default_factory=dict)
    logs: dict[AttemptId, str] = field(default_factory=dict)
    transitions: list[JobTransitioned] = field(default_factory=list)
    shares: Shares = field(default_factory=Shares)

    def commit(self, changes: Iterable[Change]) -> None:
        """Take in what one event changed; asserts that each change may follow what is here."""
        states = {job.id: job.state for job in self.jobs.values()}
        seen: set[tuple[str, str]] = set()
        for change in changes:
            match change:
                case JobAdded(row) | TaskAdded(row) | AttemptAdded(row) | WorkerAdded(row):
                    self._add(row)
                    _see_once(seen, row)
                case JobChanged(row) | TaskChanged(row) | WorkerChanged(row):
                    self._change(row)
                    _see_once(seen, row)
                case AttemptChanged(row, log):
                    self._change(row)
                    _see_once(seen, row)
                    if log is not None:
                        self.logs[row.id] = log
                case _:
                    self._other(change, states)
        for job_id, job in self.jobs.items():
            assert states.get(job_id) is job.state, f"{job_id} changed without a transition"

    def _other(self, change: Change, states: dict[JobId, JobState]) -> None:
        match change:
            case JobTransitioned():
                self._transition(change, states)
            case LabelsChanged(job_id, _):
                assert job_id in self.jobs, f"{job_id} gets labels and is not there"
            case ResultAdded(task_id, result):
                assert task_id not in self.results, f"{task_id} has a result already"
                self.results[task_id] = result
            case WorkerRemoved(worker_id):
                del self.workers[worker_id]

    def _table(self, row: Row) -> dict[str, Any]:
        tables: dict[type[Row], dict[str, Any]] = {
            Job: self.jobs,
            Task: self.tasks,
            Attempt: self.attempts,
            Worker: self.workers,
        }
        return tables[type(row)]

    def _add(self, row: Row) -> None:
        assert row.id not in self._table(row), f"{row.id} was added before"
        if isinstance(row, Task):
            assert row.job_id in self.jobs
        if isinstance(row, Attempt):
            assert row.task_id in self.tasks
            assert row.worker_id in self.workers
        self._table(row)[row.id] = row

    def _change(self, row: Row) -> None:
        assert row.id in self._table(row), f"there is no {row.id}"
        if isinstance(row, Task):
            self._check_task(row)
        if isinstance(row, Attempt):
            assert self.attempts[row.id].ended_at is None, f"{row.id} changed after its end"
            assert (row.ended_at is None) == (row.outcome is None)
        self._table(row)[row.id] = row

    def snapshot(self) -> Snapshot:
        """What a scheduler starts from, as a store would give it."""
        open_attempts = [each for each in self.attempts.values() if each.ended_at is None]
        stopping = {attempt.task_id for attempt in open_attempts}
        return Snapshot(
            jobs=tuple(job for job in self.jobs.values() if not job.state.terminal),
            tasks=tuple(
                task
                for task in self.tasks.values()
                if task.id in stopping or not self.jobs[task.job_id].state.terminal
            ),
            attempts=tuple(open_attempts),
            workers=tuple(self.workers.values()),
            shares=self.shares,
        )

    def tasks_of(self, job_id: JobId) -> tuple[Task, ...]:
        return tuple(task for task in self.tasks.values() if task.job_id == job_id)

    def history(self, job_id: JobId) -> list[JobState]:
        return [each.target for each in self.transitions if each.job_id == job_id]

    def _transition(self, change: JobTransitioned, states: dict[JobId, JobState]) -> None:
        assert change.source is states.get(change.job_id)
        assert change.job_id in self.jobs
        if change.source is not None:
            assert change.target in JOB_TABLE[change.source]
        assert change.reason
        assert change.who
        states[change.job_id] = change.target
        self.transitions.append(change)

    def _check_task(self, task: Task) -> None:
        old = self.tasks[task.id]
        # In one event a task may be freed, placed again and preempted: of its steps, one row.
        reachable = {old.state}
        for _ in range(3):
            reachable |= {state for step in reachable for state in TASK_TABLE[step]}
        assert task.state in reachable, f"{task.id}: {old.state} -> {task.state}"
        if old.state.terminal and task.state is not old.state:
            assert task.job_id in self.jobs
            assert not self.jobs[task.job_id].state.terminal, f"{task.id} changed after its end"


def _see_once(seen: set[tuple[str, str]], row: Row) -> None:
    key = (type(row).__name__, row.id)
    assert key not in seen, f"the row {key} was given twice in one outcome"
    seen.add(key)
