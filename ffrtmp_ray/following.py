"""Follows a job to its end by asking for it again and again, whoever is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from ffrtmp_ray.errors import Unavailable
from ffrtmp_ray.views import JobDetail


def looks(
    ask: Callable[[], JobDetail], *, interval: float, patience: float
) -> Iterator[JobDetail | None]:
    """The job at each asking until it is terminal; None when the farm does not answer.

    Asks every `interval` seconds, and goes on over a farm that does not answer for at most
    `patience` seconds at a time: a scheduler that is started anew loses no job. Raises Unavailable
    when the patience is at its end.
    """
    answered = time.monotonic()
    while True:
        job = None
        try:
            job = ask()
            answered = time.monotonic()
        except Unavailable:
            if time.monotonic() - answered >= patience:
                raise
        yield job
        if job is not None and job.state.terminal:
            return
        time.sleep(interval)


def changes(seen: Iterable[JobDetail | None]) -> Iterator[JobDetail]:
    """The job as it is first seen, then again at each change."""
    last: JobDetail | None = None
    for job in seen:
        if job is not None and job != last:
            last = job
            yield job


def end(seen: Iterable[JobDetail | None], job_id: str, timeout: float | None) -> JobDetail:
    """The job when it is terminal. Raises TimeoutError after `timeout` seconds (None waits for
    ever)."""
    start = time.monotonic()
    for job in seen:
        if job is not None and job.state.terminal:
            return job
        if timeout is not None and time.monotonic() - start >= timeout:
            break
    raise TimeoutError(f"job {job_id} has not ended within {timeout} s")
