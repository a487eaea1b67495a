"""A gateway without a cluster: keeps jobs in a dict, and fails on demand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.errors import (
    CallerError,
    Conflict,
    FfrtmpError,
    JobNotFound,
    OutputExists,
    Problem,
    QueueFull,
    WorkerNotFound,
)
from ffrtmp_ray.media.spec import JobChange, JobSpec
from ffrtmp_ray.metrics import Readings
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.store.protocol import JobQuery
from ffrtmp_ray.views import (
    Action,
    JobDetail,
    JobList,
    JobView,
    LogView,
    ReadyView,
    TransitionView,
    WorkerView,
)

SUBMITTED_AT = 1_800_000_000.0

ALLOWED = {
    Action.PAUSE: (JobState.PENDING, JobState.QUEUED, JobState.ASSIGNED, JobState.PROCESSING),
    Action.RESUME: (JobState.PAUSED,),
    Action.CANCEL: tuple(state for state in JobState if not state.terminal),
    Action.RETRY: (JobState.FAILED, JobState.CANCELED),
}
TARGET = {
    Action.PAUSE: JobState.PAUSED,
    Action.RESUME: JobState.QUEUED,
    Action.CANCEL: JobState.CANCELED,
    Action.RETRY: JobState.PENDING,
}

READY = ReadyView(ready=True, scheduler=True, store=True, workers=1, epoch=3)


@dataclass
class FakeGateway:
    jobs_by_id: dict[str, JobDetail] = field(default_factory=dict)
    worker_views: list[WorkerView] = field(default_factory=list)
    log_views: dict[str, list[LogView]] = field(default_factory=dict)
    readings_now: Readings = field(default_factory=Readings)
    ready_now: ReadyView = READY
    settings_now: Settings = field(default_factory=Settings)
    most_jobs: int = 1_000_000
    failing: Exception | None = None
    """Raised by every method but `ready`."""
    script: list[dict[str, object]] = field(default_factory=list)
    """Changes to make to a job, one each time it is asked for."""
    after_listing: dict[str, dict[str, object]] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)
    """How many jobs each batch had."""
    queries: list[JobQuery] = field(default_factory=list)
    controls: list[tuple[str, Action, str]] = field(default_factory=list)

    def add(self, **fields: object) -> JobDetail:
        number = len(self.jobs_by_id) + 1
        job = JobDetail.model_validate(
            {
                "id": f"job-{number}",
                "state": JobState.QUEUED,
                "queue": "default",
                "priority": "medium",
                "owner": "default",
                "input": "/in/a.mov",
                "output": f"/out/{number}.mp4",
                "submitted_at": SUBMITTED_AT + number,
                "progress": 0.0,
                "spec": {},
                **fields,
            }
        )
        self.jobs_by_id[job.id] = job
        return job

    def change_to(self, job_id: str, **fields: object) -> JobDetail:
        changed = JobDetail.model_validate({**self.jobs_by_id[job_id].model_dump(), **fields})
        self.jobs_by_id[job_id] = changed
        return changed

    def change_after_listing(self, job_id: str, **fields: object) -> None:
        """Change a job once it has been listed."""
        self.after_listing[job_id] = fields

    def _find(self, job_id: str) -> JobDetail:
        self._fail()
        if job_id not in self.jobs_by_id:
            raise JobNotFound(
                f"there is no job {job_id}", where=job_id, remedy="`ffrtmp jobs` lists them"
            )
        return self.jobs_by_id[job_id]

    def _fail(self) -> None:
        if self.failing is not None:
            raise self.failing

    async def submit(self, spec: JobSpec) -> JobDetail:
        self._fail()
        if len(self.jobs_by_id) >= self.most_jobs:
            raise QueueFull("as many jobs wait as may", remedy="submit it again later")
        if any(job.output == spec.output for job in self.jobs_by_id.values()):
            raise OutputExists(
                f"{spec.output} exists", where="output", remedy="name one that does not"
            )
        first = TransitionView(
            source=None, target=JobState.PENDING, at=SUBMITTED_AT, reason="submitted", who="http"
        )
        return self.add(
            **spec.model_dump(include={"input", "output", "preset", "queue", "priority", "owner"}),
            labels=spec.labels,
            state=JobState.PENDING,
            spec=spec.model_dump(mode="json"),
            transitions=[first],
        )

    async def submit_many(self, specs: Sequence[JobSpec]) -> list[JobView | Problem]:
        self._fail()
        self.batches.append(len(specs))
        answers: list[JobView | Problem] = []
        for spec in specs:
            try:
                answers.append(JobView.model_validate((await self.submit(spec)).model_dump()))
            except (CallerError, QueueFull) as refusal:
                answers.append(refusal.problem)
        return answers

    async def job(self, job_id: str) -> JobDetail:
        job = self._find(job_id)
        if self.script:
            step = self.script.pop(0)
            failure = step.pop("raises", None)
            if isinstance(failure, FfrtmpError):
                raise failure
            job = self.change_to(job_id, **step)
        return job

    async def jobs(self, query: JobQuery) -> JobList:
        self._fail()
        self.queries.append(query)
        newest_first = list(reversed(list(enumerate(self.jobs_by_id.values(), start=1))))
        passing = [
            (order, job)
            for order, job in newest_first
            if (not query.states or job.state in query.states)
            and (not query.queues or job.queue in query.queues)
            and (query.owner is None or job.owner == query.owner)
            and (query.before is None or order < query.before)
        ]
        page, rest = passing[: query.limit], passing[query.limit :]
        listed = tuple(JobView.model_validate(job.model_dump()) for _, job in page)
        for _, job in page:
            self.change_to(job.id, **self.after_listing.pop(job.id, {}))
        return JobList(jobs=listed, next_cursor=str(page[-1][0]) if rest else None)

    async def control(self, job_id: str, action: Action, who: str) -> JobDetail:
        job = self._find(job_id)
        self.controls.append((job_id, action, who))
        if job.state not in ALLOWED[action]:
            raise Conflict(f"job {job_id} is {job.state}", where=job_id)
        return self.change_to(job_id, state=TARGET[action])

    async def change(self, job_id: str, change: JobChange, who: str) -> JobDetail:
        job = self._find(job_id)
        if job.state.terminal:
            raise Conflict(f"job {job_id} is {job.state}", where=job_id)
        return self.change_to(job_id, **change.model_dump(exclude_none=True))

    async def logs(self, job_id: str) -> list[LogView]:
        self._find(job_id)
        return self.log_views.get(job_id, [])

    async def workers(self) -> list[WorkerView]:
        self._fail()
        return self.worker_views

    async def drain(self, worker_id: str, *, on: bool) -> WorkerView:
        self._fail()
        for place, worker in enumerate(self.worker_views):
            if worker.id == worker_id:
                state = "draining" if on else "ready"
                self.worker_views[place] = worker.model_copy(update={"state": state})
                return self.worker_views[place]
        raise WorkerNotFound("there is no such worker", where=worker_id)

    async def ready(self) -> ReadyView:
        return self.ready_now

    async def settings(self) -> Settings:
        self._fail()
        return self.settings_now

    async def readings(self) -> Readings:
        self._fail()
        return self.readings_now


def a_worker(**fields: object) -> WorkerView:
    return WorkerView.model_validate(
        {
            "id": "worker-n1-cpu-1",
            "hostname": "encoder-1",
            "node": "n1",
            "device": "cpu",
            "state": "ready",
            "cpus": 8,
            "cpus_free": 4,
            "gpu_sessions": 0,
            "gpu_sessions_free": 0,
            "gpu_memory_mib": 0,
            "gpu_memory_free_mib": 0,
            "capabilities": ["libx264"],
            "jobs": ["job-1"],
            "cpu_percent": 51.5,
            "memory_bytes": 300_000_000,
            "heartbeat_age_seconds": 0.4,
            **fields,
        }
    )
