"""From what is stored and what is live to what callers see. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import asdict

from ffrtmp_ray.core.model import (
    Document,
    Failure,
    Job,
    JobState,
    Progress,
    Resources,
    Task,
    TaskId,
    TaskState,
    Usage,
    Worker,
)
from ffrtmp_ray.core.progress import job_progress
from ffrtmp_ray.storage.urls import shown
from ffrtmp_ray.store.protocol import JobRecord
from ffrtmp_ray.views import (
    AttemptView,
    FailureView,
    GpuView,
    JobDetail,
    JobView,
    OutputView,
    QualityView,
    TaskView,
    TransitionView,
    TunedView,
    WorkerView,
)


@dataclass(frozen=True, slots=True)
class Live:
    """What the scheduler knows of an unfinished job and the store does not."""

    tasks: tuple[Task, ...] = ()
    progress: Mapping[TaskId, Progress] = field(default_factory=dict)
    """Of running tasks."""
    floor: float = 0.0
    """The progress that callers have been shown already."""
    explain: Callable[[TaskId], str | None] = lambda _: None
    starts_in: Callable[[TaskId], float | None] = lambda _: None


def percent_of(job: Job, live: Live) -> float | None:
    """A job's progress, 0 to 100; 100 exactly when it is completed, None when it never will be."""
    if job.state is JobState.COMPLETED:
        return 100.0
    if job.state.terminal:
        return None
    fractions = {task_id: progress.fraction for task_id, progress in live.progress.items()}
    return job_progress(live.tasks, fractions, live.floor)


def job_view(job: Job, spec: Document, live: Live, now: float) -> JobView:
    return JobView(**_job_fields(job, spec, live, now))


def accepted_view(job: Job, spec: Document) -> JobView:
    """A job in the moment of its acceptance."""
    return job_view(job, spec, Live(), job.submitted_at)


def accepted_detail(job: Job, spec: Document) -> JobDetail:
    record = JobRecord(job, spec, (), {}, (), ())
    return job_detail(record, Live(), job.submitted_at)


def job_detail(record: JobRecord, live: Live, now: float) -> JobDetail:
    return JobDetail(
        **_job_fields(record.job, record.spec, live, now),
        spec={**record.spec, "input": shown(record.spec["input"])},
        outputs=tuple(_outputs(record)),
        quality=tuple(_quality(record)),
        tuned=tuple(_tuned(record)),
        warnings=tuple(dict.fromkeys(_warnings(record))),  # a second plan says the same again
        tasks=tuple(_task_view(task, record, live) for task in record.tasks),
        transitions=tuple(
            TransitionView(source=t.source, target=t.target, at=t.at, reason=t.reason, who=t.who)
            for t in record.transitions
        ),
    )


def worker_view(
    worker: Worker,
    free: Resources,
    jobs: Iterable[str],
    usage: Usage | None,
    heartbeat_age: float | None,
) -> WorkerView:
    return WorkerView(
        id=worker.id,
        hostname=worker.hostname,
        node=worker.node_id,
        device=worker.device,
        state=_worker_state(worker),
        cpus=worker.capacity.cpus,
        cpus_free=free.cpus,
        gpu_sessions=worker.capacity.gpu_sessions,
        gpu_sessions_free=free.gpu_sessions,
        gpu_memory_mib=worker.capacity.gpu_memory_mib,
        gpu_memory_free_mib=free.gpu_memory_mib,
        capabilities=tuple(sorted(worker.capabilities)),
        jobs=tuple(sorted(set(jobs))),
        heartbeat_age_seconds=heartbeat_age,
        cpu_percent=usage.cpu_percent if usage else None,
        memory_bytes=usage.worker_memory_bytes if usage else None,
        node_memory_used_bytes=usage.memory_used_bytes if usage else None,
        node_memory_total_bytes=usage.memory_total_bytes if usage else None,
        load_1m=usage.load_1m if usage else None,
        gpu_usage=tuple(GpuView(**asdict(gpu)) for gpu in usage.gpus) if usage else (),
    )


def _worker_state(worker: Worker) -> str:
    if worker.capacity == Resources():
        return "starting"
    return "draining" if worker.draining else "ready"


def _job_fields(job: Job, spec: Document, live: Live, now: float) -> dict[str, Any]:
    percent = percent_of(job, live)
    running = [live.progress[task.id] for task in live.tasks if task.id in live.progress]
    encoding = max(running, key=lambda progress: progress.fps or 0.0, default=None)
    return {
        "id": job.id,
        "state": job.state,
        "queue": job.queue,
        "priority": job.priority,
        "owner": job.owner,
        "input": shown(spec["input"]),
        "output": spec["output"],
        "preset": spec.get("preset"),
        "labels": spec.get("labels", {}),
        "submitted_at": job.submitted_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "progress": None if percent is None else round(percent, 2),
        "fps": encoding.fps if encoding else None,
        "speed": encoding.speed if encoding else None,
        "eta_seconds": _eta(job, percent, now),
        "waiting": _waiting(job, live),
        "failure": _failure_view(job.failure),
        "not_before": job.not_before,
        "deadline": job.deadline,
        "deadline_missed": _deadline_missed(job, now),
        "depends_on": job.depends_on,
    }


def _deadline_missed(job: Job, now: float) -> bool:
    """A job that has failed misses it when it comes; one that was canceled need not be done."""
    if job.deadline is None:
        return False
    over = job.state in (JobState.COMPLETED, JobState.CANCELED)
    end = job.finished_at if over and job.finished_at is not None else now
    return end > job.deadline


def _eta(job: Job, percent: float | None, now: float) -> float | None:
    """Seconds to the end, if it goes on as it went since the job's start; None when unknown."""
    if job.state is not JobState.PROCESSING or job.started_at is None or not percent:
        return None
    return round((now - job.started_at) * (100.0 - percent) / percent, 1)


def _waiting(job: Job, live: Live) -> str | None:
    if job.state not in (JobState.PENDING, JobState.QUEUED, JobState.PAUSED):
        return None
    reasons = [live.explain(task.id) for task in live.tasks if _is_next(task)]
    return next((reason for reason in reasons if reason), None)


def _is_next(task: Task) -> bool:
    return task.state in (TaskState.READY, TaskState.DELAYED)


def _task_view(task: Task, record: JobRecord, live: Live) -> TaskView:
    progress = live.progress.get(task.id)
    fraction = progress.fraction if progress else float(task.state is TaskState.SUCCEEDED)
    return TaskView(
        id=task.id,
        name=task.name,
        kind=task.kind,
        state=task.state,
        progress=round(100.0 * fraction, 2),
        fps=progress.fps if progress else None,
        speed=progress.speed if progress else None,
        failure=_failure_view(task.failure),
        waiting=None if record.job.state.terminal else live.explain(task.id),
        starts_in_seconds=_rounded(live.starts_in(task.id)),
        attempts=tuple(
            AttemptView(
                id=attempt.id,
                worker=attempt.worker_id,
                placed_at=attempt.placed_at,
                started_at=attempt.started_at,
                ended_at=attempt.ended_at,
                outcome=attempt.outcome,
            )
            for attempt in record.attempts
            if attempt.task_id == task.id
        ),
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _failure_view(failure: Failure | None) -> FailureView | None:
    return FailureView(kind=failure.kind, reason=failure.reason) if failure else None


def _outputs(record: JobRecord) -> Iterable[OutputView]:
    """What the final task has published."""
    for task in record.tasks:
        if task.final and task.state is TaskState.SUCCEEDED:
            for output in record.results[task.id].get("outputs", ()):
                yield OutputView(**output)


def _quality(record: JobRecord) -> Iterable[QualityView]:
    for task in record.tasks:
        for view in record.results.get(task.id, {}).get("quality", ()):
            yield QualityView(**view)


def _tuned(record: JobRecord) -> Iterable[TunedView]:
    for task in record.tasks:
        if (view := record.results.get(task.id, {}).get("tuned")) is not None:
            yield TunedView(**view)


def _warnings(record: JobRecord) -> Iterable[str]:
    for task in record.tasks:
        yield from record.results.get(task.id, {}).get("warnings", ())
