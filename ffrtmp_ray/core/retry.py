"""Whether and when a failed task is tried again. Pure: chance is a hash of the attempt's id."""

from __future__ import annotations

import zlib
from typing import TypeAlias

from msgspec import Struct

from ffrtmp_ray.core.model import AttemptId, Failure, FailureKind, Job, Policy, Task

HOPELESS = frozenset(
    {
        FailureKind.BAD_INPUT,
        FailureKind.UNSUPPORTED,
        FailureKind.OVER_LIMIT,
        FailureKind.OUTPUT_EXISTS,
    }
)
"""Failures that another try would only repeat."""


class RetryAt(Struct, frozen=True, gc=False):
    at: float
    """Seconds since 1970."""
    counts: bool
    """Whether the attempt counts against the job's `max_attempts`."""


class GiveUp(Struct, frozen=True, gc=False):
    failure: Failure
    """Of the task, and so of its job."""


Decision: TypeAlias = RetryAt | GiveUp


def decide(
    failure: Failure, task: Task, job: Job, attempt_id: AttemptId, now: float, policy: Policy
) -> Decision:
    """What follows when attempt `attempt_id` of `task` (as it was before) ended in `failure`."""
    kind = failure.kind
    if kind in HOPELESS:
        return GiveUp(failure)
    if kind is FailureKind.WORKER_LOST:
        return _after_lost_worker(failure, task, now, policy)
    if kind is FailureKind.OUT_OF_GPU_SESSIONS:
        return RetryAt(now + backoff(task.attempts, attempt_id, policy), counts=False)
    failures = task.failures + 1
    if failures >= job.max_attempts:
        return GiveUp(failure)
    return RetryAt(now + backoff(failures, attempt_id, policy), counts=True)


def backoff(tries: int, attempt_id: AttemptId, policy: Policy) -> float:
    """Seconds to wait after the `tries`-th try: full jitter, see `Policy.backoff_base`."""
    ceiling = policy.backoff_cap
    if tries <= _MOST_DOUBLINGS:
        ceiling = min(ceiling, policy.backoff_base * 2.0 ** max(0, tries - 1))
    return ceiling * chance(attempt_id)


_MOST_DOUBLINGS = 60
"""Beyond it, no `backoff_base` of practice is below the cap, and floats overflow at last."""


def chance(key: str) -> float:
    """A number from 0 to below 1 that is the same for the same key, on every machine."""
    return zlib.crc32(key.encode()) / 2**32


def _after_lost_worker(failure: Failure, task: Task, now: float, policy: Policy) -> Decision:
    lost = task.workers_lost + 1
    if lost >= policy.max_workers_lost:
        reason = f"{lost} workers were lost under this task, the last one because {failure.reason}"
        return GiveUp(Failure(FailureKind.WORKER_LOST, reason))
    return RetryAt(now, counts=False)
