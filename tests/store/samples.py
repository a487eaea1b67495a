"""Values to store, as small or as full as a test needs them."""

from __future__ import annotations

from typing import Any

from ffrtmp_ray.core.messages import (
    AttemptAdded,
    Change,
    JobAdded,
    JobTransitioned,
    TaskAdded,
    WorkerAdded,
)
from ffrtmp_ray.core.model import (
    Attempt,
    Failure,
    FailureKind,
    Job,
    JobState,
    Needs,
    Priority,
    Queue,
    Requirement,
    Resources,
    StopReason,
    Task,
    TaskState,
    Worker,
)

NEEDS = Needs(
    (
        Requirement(Resources(cpus=4, gpu_sessions=1), frozenset({"h264_nvenc"})),
        Requirement(Resources(cpus=2), frozenset({"libx264", "aac"})),
        Requirement(Resources(plan_slots=1, light_slots=1)),
    )
)
SPEC = {
    "input": "/srv/in/clip.mp4",
    "labels": {"title": "Zürich, 東京"},
    "crf": 23.5,
    "audio": None,
}


def job(number: int, state: JobState = JobState.PENDING, **fields: Any) -> Job:
    """The job of that order, submitted `number` seconds after a fixed time."""
    values: dict[str, Any] = {
        "id": f"job{number}",
        "owner": "ann",
        "queue": Queue.DEFAULT,
        "priority": Priority.MEDIUM,
        "state": state,
        "submitted_at": 1_000_000.0 + number,
        "order": number,
    }
    return Job(**values | fields)


def task(of: Job, name: str = "plan", **fields: Any) -> Task:
    values: dict[str, Any] = {
        "id": f"{of.id}-{name}",
        "job_id": of.id,
        "name": name,
        "kind": name,
        "needs": NEEDS,
        "state": TaskState.READY,
    }
    return Task(**values | fields)


def attempt(of: Task, number: int = 1, **fields: Any) -> Attempt:
    values: dict[str, Any] = {
        "id": f"{of.id}-1-{number}",
        "task_id": of.id,
        "job_id": of.job_id,
        "number": number,
        "worker_id": "worker-a",
        "grant": NEEDS.alternatives[0],
        "placed_at": 1_000_100.0 + number,
    }
    return Attempt(**values | fields)


def worker(name: str = "a", **fields: Any) -> Worker:
    values: dict[str, Any] = {
        "id": f"worker-{name}",
        "node_id": "node-1",
        "hostname": "encoder-1",
        "device": "cpu",
        "capacity": Resources(cpus=8, plan_slots=2, light_slots=2),
    }
    return Worker(**values | fields)


def transition(of: Job, source: JobState | None = None, **fields: Any) -> JobTransitioned:
    values: dict[str, Any] = {
        "job_id": of.id,
        "source": source,
        "target": of.state,
        "at": of.submitted_at,
        "reason": "submitted",
        "who": of.owner,
    }
    return JobTransitioned(**values | fields)


FULL_JOB = job(
    7,
    state=JobState.FAILED,
    urgent=True,
    preemptible=False,
    held=True,
    max_attempts=5,
    timeout_seconds=3600.5,
    not_before=1_000_000.5,
    deadline=1_009_000.25,
    depends_on=("job1", "job2"),
    plan=2,
    started_at=1_000_008.25,
    paused_at=1_000_008.5,
    paused_seconds=12.75,
    finished_at=1_000_009.125,
    failure=Failure(FailureKind.BAD_INPUT, "The file has no video stream."),
)
FULL_TASK = task(
    FULL_JOB,
    "encode0",
    state=TaskState.STOPPING,
    waits_for=frozenset({"job7-plan", "job7-audio"}),
    weight=12.5,
    timeout_seconds=60.25,
    final=True,
    plan=2,
    attempts=4,
    failures=3,
    workers_lost=1,
    preemptions=2,
    not_before=1_000_200.75,
    ready_at=1_000_100.5,
    stop_reason=StopReason.PREEMPTED,
    failure=Failure(FailureKind.CRASHED, "ffmpeg ended with status 139."),
)
FULL_ATTEMPT = attempt(
    FULL_TASK, 4, started_at=1_000_101.5, ended_at=1_000_102.5, outcome="preempted"
)
FULL_WORKER = worker(
    "gpu",
    device="gpu0",
    capacity=Resources(cpus=2, gpu_sessions=1, plan_slots=1, light_slots=3),
    capabilities=frozenset({"h264_nvenc", "hevc_nvenc"}),
    draining=True,
)


def added(of: Job, *others: Task | Attempt) -> list[Change]:
    """A job with its first transition, and tasks and attempts of it."""
    changes: list[Change] = [JobAdded(of, SPEC), transition(of)]
    for value in others:
        if isinstance(value, Task):
            changes.append(TaskAdded(value, {"task": value.name}))
        else:
            changes.append(AttemptAdded(value))
    return changes


def joined(*workers: Worker) -> list[Change]:
    return [WorkerAdded(each) for each in workers]
