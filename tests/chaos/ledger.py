"""What must be true when the hand is done: a list of sentences on all that is not.

Works on what it is given; asks nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from ffrtmp_ray.core.lifecycle import JOB_TABLE
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.views import AttemptView, JobDetail
from tests.chaos.hand import Record
from tests.chaos.work import Entry

UNHARMED = (None, "succeeded", "preempted", "paused", "canceled")
"""Outcomes of an attempt that outlived a killed scheduler. The engine may end it for others."""


@dataclass(frozen=True)
class Facts:
    entries: Sequence[Entry]
    """Jobs whose submission was answered."""
    jobs: Sequence[JobDetail]
    """All that the farm has."""
    records: Sequence[Record]
    epoch: int
    """Of the scheduler at the end."""
    times: Mapping[Path, Sequence[Fraction] | str]
    """Of the frames of every source and of every file found among the outputs; or why it cannot be
    decoded."""
    leftovers: Sequence[Path]
    orphans: Sequence[str]


def faults(facts: Facts) -> list[str]:
    return [
        *_accepted(facts),
        *(fault for job in facts.jobs for fault in _job(job)),
        *_outputs(facts),
        *_losses(facts),
        *(f"task restarted by a new scheduler: {a}" for a in restarted(facts.records, facts.jobs)),
        *_schedulers(facts),
        *(f"file left: {path}" for path in facts.leftovers),
        *(f"process left: {orphan}" for orphan in facts.orphans),
        *(f"no recovery from {r.kind} {r.what}: {name}" for r, name in _unrecovered(facts.records)),
    ]


def restarted(records: Sequence[Record], jobs: Iterable[JobDetail]) -> list[str]:
    """Attempts that ran when the scheduler alone was killed, and did not outlive it."""
    attempts = {attempt.id: attempt for attempt in attempts_of(jobs)}
    ends = [*(record.at for record in records), float("inf")][1:]
    return [
        f"{attempt_id} ({attempts[attempt_id].outcome})"
        for record, until in zip(records, ends, strict=True)
        if record.kind == "scheduler" and record.alone
        for attempt_id in sorted(record.attempts)
        if attempts[attempt_id].outcome not in UNHARMED
        and (attempts[attempt_id].ended_at or 0.0) < until
    ]


def attempts_of(jobs: Iterable[JobDetail]) -> Iterator[AttemptView]:
    return (attempt for job in jobs for task in job.tasks for attempt in task.attempts)


def _accepted(facts: Facts) -> Iterator[str]:
    accepted, known = {entry.job_id for entry in facts.entries}, {job.id for job in facts.jobs}
    yield from (f"accepted and lost: {job_id}" for job_id in sorted(accepted - known))
    yield from (f"accepted twice: {job_id}" for job_id in sorted(known - accepted))


def _job(job: JobDetail) -> Iterator[str]:
    if job.state is not JobState.COMPLETED:
        yield f"{job.id} is {job.state}: {job.failure}"
    for task in job.tasks:
        outcomes = Counter(attempt.outcome for attempt in task.attempts)
        if outcomes["succeeded"] != 1:
            yield f"{task.id} succeeded {outcomes['succeeded']} times: {dict(outcomes)}"
        if outcomes[None]:
            yield f"{task.id} has attempts that never ended"
    trail = [transition.target for transition in job.transitions]
    if [transition.source for transition in job.transitions] != [None, *trail[:-1]]:
        yield f"{job.id}: its audit trail has a gap: {_told(trail)}"
    if not all(target in JOB_TABLE[source] for source, target in pairwise(trail)):
        yield f"{job.id}: its audit trail is no legal path: {_told(trail)}"
    if trail.count(JobState.COMPLETED) != 1 or trail[-1] is not JobState.COMPLETED:
        yield f"{job.id} was completed {trail.count(JobState.COMPLETED)} times"


def _outputs(facts: Facts) -> Iterator[str]:
    sources = {entry.source for entry in facts.entries}
    wanted = {path: entry.source for entry in facts.entries for path in entry.outputs}
    for path in sorted(wanted.keys() - facts.times.keys()):
        yield f"output missing: {path}"
    for path in sorted(facts.times.keys() - wanted.keys() - sources):
        yield f"output that nobody wants: {path}"
    for path in sorted(wanted.keys() & facts.times.keys()):
        found, source = facts.times[path], facts.times[wanted[path]]
        if isinstance(found, str):
            yield f"{path} cannot be decoded: {found}"
        elif found != source:
            yield f"{path} has {len(found)} frames of {len(source)}, or other times"


def _losses(facts: Facts) -> Iterator[str]:
    """Work that was lost although the hand did not touch it."""
    struck = {worker_id for record in facts.records for worker_id in record.workers}
    killed = {record.what for record in facts.records if record.kind == "ffmpeg"}
    for attempt in attempts_of(facts.jobs):
        if attempt.outcome == "worker_lost" and attempt.worker not in struck:
            yield f"{attempt.id} was lost with {attempt.worker}, which nobody has struck"
        elif attempt.outcome == "crashed" and attempt.id not in killed:
            yield f"{attempt.id} crashed, and nobody has struck it"
        elif attempt.outcome in ("stalled", "timed_out", "inexact", "output_exists"):
            yield f"{attempt.id} ended as {attempt.outcome}"


def _schedulers(facts: Facts) -> Iterator[str]:
    kills = sum(record.kind in ("scheduler", "frozen_scheduler") for record in facts.records)
    if facts.epoch != kills + 1:
        yield f"the scheduler was killed {kills} times and has begun {facts.epoch} times"


def _unrecovered(records: Iterable[Record]) -> Iterator[tuple[Record, str]]:
    for record in records:
        yield from ((record, name) for name, seconds in record.seconds.items() if seconds is None)


def _told(trail: Iterable[JobState]) -> str:
    return " -> ".join(trail)
