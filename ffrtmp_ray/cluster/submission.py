"""From a user's spec to the job that the engine keeps. Pure, but for fresh ids."""

from __future__ import annotations

import secrets
import time
from datetime import datetime

from ffrtmp_ray.core.messages import JobSubmitted
from ffrtmp_ray.core.model import Job, JobId, JobState
from ffrtmp_ray.media.plan import first_task
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.settings import Settings


def new_job_id() -> JobId:
    """An id that no other job has, sorting by time: milliseconds in hex, then 40 random bits."""
    return f"{time.time_ns() // 1_000_000:011x}{secrets.token_hex(5)}"


def submission(job_id: JobId, spec: JobSpec, settings: Settings) -> JobSubmitted:
    """An admitted job. Its place in the order and its time are the scheduler's to give."""
    job = Job(
        id=job_id,
        owner=spec.owner,
        queue=spec.queue,
        priority=spec.priority,
        state=JobState.PENDING,
        submitted_at=0.0,
        order=0,
        urgent=spec.urgent,
        preemptible=spec.preemptible,
        max_attempts=spec.max_attempts,
        timeout_seconds=spec.timeout_seconds,
        not_before=_seconds(spec.not_before),
        deadline=_seconds(spec.deadline),
        depends_on=tuple(dict.fromkeys(spec.depends_on)),
    )
    return JobSubmitted(job, (first_task(spec, settings),), spec.model_dump(mode="json"))


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
