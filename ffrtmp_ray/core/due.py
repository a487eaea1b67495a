"""When what a timer watches is due, by what the engine holds now. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from ffrtmp_ray.core.lifecycle import Tally
from ffrtmp_ray.core.model import Job, JobId, Policy, Task, TaskId, TaskState
from ffrtmp_ray.core.timers import Due


class Held(Protocol):
    """What of the engine's state decides it."""

    policy: Policy

    @property
    def jobs(self) -> Mapping[JobId, Job]: ...

    @property
    def tallies(self) -> Mapping[JobId, Tally]: ...

    @property
    def tasks(self) -> Mapping[TaskId, Task]: ...

    @property
    def reserved(self) -> Mapping[TaskId, float]: ...


def due_at(held: Held, due: Due, subject: str) -> float | None:
    """Seconds since 1970; None where nothing is due at any time."""
    if due is Due.RESERVATION:
        return held.reserved.get(subject)
    if due is Due.RETRY:
        task = held.tasks.get(subject)
        return task.not_before if task and task.state is TaskState.DELAYED else None
    job = held.jobs.get(subject)
    if job is None:
        return None
    return _suspend_limit(held, job) if due is Due.SUSPEND_LIMIT else _deadline(held, job)


def _suspend_limit(held: Held, job: Job) -> float | None:
    return None if job.paused_at is None else job.paused_at + held.policy.suspend_limit


def _deadline(held: Held, job: Job) -> float | None:
    publishing = held.tallies[job.id].publishing
    if job.started_at is None or job.timeout_seconds is None or job.held or publishing:
        return None
    return job.started_at + job.timeout_seconds + job.paused_seconds
