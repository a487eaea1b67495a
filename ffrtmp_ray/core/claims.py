"""Who may take whose room. Pure."""

from __future__ import annotations

from typing import Final

from ffrtmp_ray.core.lifecycle import PLAN
from ffrtmp_ray.core.model import Job, Policy, Queue, Task, TaskState
from ffrtmp_ray.core.placement import Claim

_IDLE: Final = Claim.IDLE
_URGENT: Final = Claim.URGENT
_LIVE: Final = Claim.LIVE
_NEVER: Final = Claim.NEVER
_LIVE_QUEUE: Final = Queue.LIVE
_STOPPING: Final = TaskState.STOPPING


def claim_of(job: Job) -> Claim:
    """What the tasks of `job` may take when no room is free."""
    if job.queue is _LIVE_QUEUE:
        return _LIVE
    return _URGENT if job.urgent else _IDLE


def yields_to(task: Task, job: Job | None, policy: Policy) -> Claim:
    """The weakest claim that the attempt of an active task gives way to; its job is None when it
    has finished."""
    if job is None or task.state is _STOPPING or is_held(task, job):
        return _IDLE
    if task.final or task.kind == PLAN or job.queue is _LIVE_QUEUE or not job.preemptible:
        return _NEVER
    if job.urgent or task.preemptions >= policy.max_preemptions:
        return _LIVE
    return _URGENT


def is_held(task: Task, job: Job) -> bool:
    """Whether the user's pause concerns it. What publishes is never held back."""
    return job.held and not task.final
