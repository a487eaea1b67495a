"""Who may take whose room. Pure."""

from __future__ import annotations

from ffrtmp_ray.core.lifecycle import PLAN
from ffrtmp_ray.core.model import Job, Policy, Queue, Task, TaskState
from ffrtmp_ray.core.placement import Claim


def claim_of(job: Job) -> Claim:
    """What the tasks of `job` may take when no room is free."""
    if job.queue is Queue.LIVE:
        return Claim.LIVE
    return Claim.URGENT if job.urgent else Claim.IDLE


def yields_to(task: Task, job: Job | None, policy: Policy) -> Claim:
    """The weakest claim that the attempt of an active task gives way to; its job is None when it
    has finished."""
    if job is None or task.state is TaskState.STOPPING or is_held(task, job):
        return Claim.IDLE
    if task.final or task.kind == PLAN or job.queue is Queue.LIVE or not job.preemptible:
        return Claim.NEVER
    if job.urgent or task.preemptions >= policy.max_preemptions:
        return Claim.LIVE
    return Claim.URGENT


def is_held(task: Task, job: Job) -> bool:
    """Whether the user's pause concerns it. What publishes is never held back."""
    return job.held and not task.final
