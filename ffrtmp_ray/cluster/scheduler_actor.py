"""The scheduler as callers know it: takes requests, answers reads.

A plain class; `cluster.actors` makes the one detached Ray actor of it. `cluster.life` does the
work; this only finds out when there is one, and puts what it holds into the callers' form.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import structlog

from ffrtmp_ray import compiled
from ffrtmp_ray.cluster import collector
from ffrtmp_ray.cluster.fleet import Cluster
from ffrtmp_ray.cluster.intake import Intake
from ffrtmp_ray.cluster.lead import lead
from ffrtmp_ray.cluster.life import Life, die
from ffrtmp_ray.cluster.present import Live, job_detail, job_view, worker_view
from ffrtmp_ray.cluster.ray_metrics import RayMetrics
from ffrtmp_ray.cluster.renewal import renewing
from ffrtmp_ray.cluster.tally import WorkerReading
from ffrtmp_ray.cluster.worker_link import WorkerDead
from ffrtmp_ray.core.messages import (
    CancelRequested,
    ChangeRequested,
    DrainEnded,
    DrainRequested,
    Event,
    JobSubmitted,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
)
from ffrtmp_ray.core.model import Job, JobId, Worker, WorkerId
from ffrtmp_ray.errors import (
    Conflict,
    FfrtmpError,
    JobNotFound,
    Problem,
    SchedulerUnavailable,
    StoreUnavailable,
    Superseded,
    WorkerNotFound,
    from_problem,
)
from ffrtmp_ray.media.spec import JobChange
from ffrtmp_ray.metrics import Readings
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.store.protocol import JobQuery, JobRecord, Store, StoredJob
from ffrtmp_ray.views import (
    Action,
    JobDetail,
    JobList,
    JobView,
    LogView,
    ReadyView,
    WorkerView,
)

VERSION = version("ffrtmp-ray")
STANDBY_SECONDS = 10.0
"""From a scheduler's beginning until it has another one stand by."""
STORE_SECONDS = 1.0
"""Between two tries at a store that cannot be had."""
METRICS_SECONDS = 5.0
"""Between two hand-overs of the metrics to Ray's export."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class About:
    """What runs, for those who would deploy or use it."""

    version: str
    settings: Settings


class SchedulerActor:
    """One per cluster. Every method may be called again after an error: none does harm twice.

    A refusal comes back as a Problem, never as an exception, since those do not cross Ray whole.
    """

    def __init__(self, settings: Settings, holder: str, cluster: Cluster) -> None:
        self._settings = settings
        self._holder = holder
        self._cluster = cluster
        self._life: Life | None = None
        self._intake: Intake | None = None
        self._trouble: FfrtmpError | None = None
        """Why there is no life yet; None where it is only a matter of moments."""
        self._leads: bool | None = None
        """See `leads`."""
        self._course = asyncio.create_task(self._run())
        self._standby: asyncio.Task[None] | None = None

    async def _run(self) -> None:
        try:
            await asyncio.to_thread(_load_modules)
            self._leads = False
            settings = self._settings
            led = await lead(settings.state_dir, hang_seconds=settings.scheduler_hang_seconds)
            self._leads = True
            store, epoch = await self._take_store()
            collector.look_once()
            with collector.loading(), renewing(store, epoch, die):
                loaded = await asyncio.to_thread(store.load)
                life = Life(settings, self._cluster, store, epoch, loaded)
            self._intake = Intake(life, loaded.last_order)
            del loaded  # else its rows would stay for as long as this does
            await life.begin()
            self._life = life
            jobs, form = len(life.engine.jobs), compiled.form()
            log.info("the scheduler is up", epoch=epoch, jobs=jobs, engine=form)
            if settings.standby:
                self._standby = asyncio.create_task(self._have_one_stand_by())
            await asyncio.gather(life.run(), self._export(), led.beat())
        except Exception as error:  # noqa: BLE001 - without its course the scheduler is no use
            die(error)

    async def _take_store(self) -> tuple[Store, int]:
        """The store and our epoch of it; waits while it is another's or cannot be written."""
        from ffrtmp_ray.store.open import open_store  # see _load_modules

        url, takeover = self._settings.database_url, self._settings.takeover_seconds
        store: Store | None = None
        while True:
            try:
                if store is None:
                    store = await asyncio.to_thread(open_store, url, takeover_seconds=takeover)
                return store, await asyncio.to_thread(store.take_epoch, self._holder, VERSION)
            except (Superseded, StoreUnavailable) as trouble:
                log.warning("the store cannot be had", error=str(trouble))
                self._trouble = trouble
                await asyncio.sleep(STORE_SECONDS)

    async def _have_one_stand_by(self) -> None:
        """Once a farm that starts has its workers: loading another scheduler takes two seconds of
        CPU time, and would hold those up."""
        await asyncio.sleep(STANDBY_SECONDS)
        await asyncio.to_thread(self._cluster.stand_by, self._settings)

    async def _export(self) -> None:
        exporter = RayMetrics()
        while True:
            exporter.publish(await self.readings())
            await asyncio.sleep(METRICS_SECONDS)

    # ---------------------------------------------------------------- about itself

    async def about(self) -> About:
        return About(VERSION, self._settings)

    async def leads(self) -> bool | None:
        """Whether this is the one that takes requests, or will when it has started; else it stands
        by; None while it is not ready for either. Answers while all else is busy."""
        return self._leads

    async def ready(self) -> ReadyView:
        """Whether jobs would be accepted and done. Answers while all else is busy."""
        life = self._life
        if life is None:
            reason = str(self._why_no_life())
            return ReadyView(
                ready=False, scheduler=False, store=False, workers=0, reasons=(reason,)
            )
        store = await asyncio.to_thread(life.store.writable)
        workers = sum(1 for worker in list(life.workers.values()) if worker.capacity.cpus)
        reasons = [] if store else ["the store cannot be written"]
        reasons += [] if workers else ["no worker is up"]
        return ReadyView(
            ready=not reasons,
            scheduler=True,
            store=store,
            workers=workers,
            epoch=life.epoch,
            process=os.getpid(),
            reasons=tuple(reasons),
        )

    async def readings(self) -> Readings:
        life = self._alive()
        await life.settled()
        return life.tally.readings(
            active_jobs=life.engine.active_jobs,
            queue_lengths=life.engine.queue_lengths(),
            workers={
                worker_id: WorkerReading(
                    link.usage,
                    len({attempt.job_id for attempt in life.engine.attempts_on(worker_id)}),
                    link.heartbeats,
                )
                for worker_id, link in life.links.items()
            },
        )

    async def end(self) -> None:
        """Close the workers in order and give the store up; the actor is to be killed then. One
        that stands by will not take over."""
        if not self._leads:
            self._course.cancel()
        if self._standby is not None:
            self._standby.cancel()
        if self._life is not None:
            await self._life.end()

    # ---------------------------------------------------------------- jobs

    async def submit(
        self, jobs: Sequence[JobSubmitted], *, again: bool = False
    ) -> list[Job | Problem]:
        """Accept jobs, whose place and time this gives; see Intake."""
        return await self._taking_in().submit(jobs, again=again)

    def _taking_in(self) -> Intake:
        self._alive()
        assert self._intake is not None  # noqa: S101 - it is made with the life
        return self._intake

    async def job(self, job_id: JobId) -> JobDetail | Problem:
        life = self._alive()
        record = await life.read_jobs(
            lambda: life.store.job(job_id), lambda found: (found.job,) if found else ()
        )
        return self._detail(life, record) if record else _no_job(job_id).problem

    async def jobs(self, query: JobQuery) -> JobList:
        life = self._alive()
        page = await life.read_jobs(
            lambda: life.store.jobs(query), lambda page: (stored.job for stored in page.jobs)
        )
        return JobList(
            jobs=tuple(self._view(life, stored) for stored in page.jobs),
            next_cursor=None if page.next_before is None else str(page.next_before),
        )

    async def control(self, job_id: JobId, action: Action, who: str) -> JobDetail | Problem:
        """Pause, resume, cancel or retry; the answer shows the job as it is then."""
        life = self._alive()
        if action is Action.RETRY:
            refusal = await self._retry(life, job_id, who)
        else:
            refusal = await self._ask_of_job(life, job_id, _REQUESTS[action](job_id, who))
        return refusal.problem if refusal else await self.job(job_id)

    async def change(self, job_id: JobId, change: JobChange, who: str) -> JobDetail | Problem:
        """Give an unfinished job another place in the order, or other labels."""
        event = ChangeRequested(job_id, who, change.queue, change.priority, change.labels)
        refusal = await self._ask_of_job(self._alive(), job_id, event)
        return refusal.problem if refusal else await self.job(job_id)

    async def _retry(self, life: Life, job_id: JobId, who: str) -> FfrtmpError | None:
        """The engine is given the job's rows: one at a time, lest they be of before a retry."""
        async with life.finished_rows:
            record = await life.read(lambda: life.store.job(job_id))
            if record is None:
                return _no_job(job_id)
            finished = await self._taking_in().finished(record.job.depends_on)
            return await self._ask(life, RetryRequested(record.job, record.tasks, who, finished))

    async def _ask_of_job(self, life: Life, job_id: JobId, event: Event) -> FfrtmpError | None:
        refusal = await self._ask(life, event)
        return await self._why_not(life, job_id) if isinstance(refusal, JobNotFound) else refusal

    async def _why_not(self, life: Life, job_id: JobId) -> FfrtmpError:
        """Why the engine does not hold a job: it has ended, or there never was one."""
        record = await life.read(lambda: life.store.job(job_id))
        if record is None:
            return _no_job(job_id)
        return Conflict(f"the job is {record.job.state}", where=job_id)

    async def _ask(self, life: Life, event: Event) -> FfrtmpError | None:
        result = (await life.apply([event]))[0]
        return result if isinstance(result, FfrtmpError) else None

    async def logs(self, job_id: JobId) -> list[LogView] | Problem:
        """What the attempts' processes printed last, ended ones first, then those that run."""
        life = self._alive()
        if await life.read(lambda: life.store.job(job_id)) is None:
            return _no_job(job_id).problem
        ended = await life.read(lambda: life.store.logs(job_id))
        await life.settled()
        return [
            *(LogView(attempt=attempt_id, text=text) for attempt_id, text in ended),
            *(await self._running_logs(life, job_id)),
        ]

    async def _running_logs(self, life: Life, job_id: JobId) -> list[LogView]:
        logs = []
        for task in life.engine.tasks_of(job_id):
            attempt = life.engine.attempt_of(task.id)
            handle = life.handles.get(attempt.worker_id) if attempt else None
            if attempt is None or handle is None:
                continue
            try:
                text = await handle.tail(attempt.id)
            except (WorkerDead, ConnectionError):
                text = None  # its log goes with it
            if text is not None:
                logs.append(LogView(attempt=attempt.id, text=text))
        return logs

    # ---------------------------------------------------------------- workers

    async def workers(self) -> list[WorkerView]:
        life = self._alive()
        await life.settled()
        return [self._worker_view(life, worker) for worker in life.workers.values()]

    async def drain(self, worker_id: WorkerId, *, on: bool) -> WorkerView | Problem:
        """Give a worker nothing new, or again; what it has it finishes. Shows it as it is then."""
        life = self._alive()
        event = DrainRequested(worker_id) if on else DrainEnded(worker_id)
        refusal = await self._ask(life, event)
        if refusal is not None:
            return refusal.problem
        worker = life.workers.get(worker_id)
        if worker is None:
            return WorkerNotFound("the worker has just been lost", where=worker_id).problem
        return self._worker_view(life, worker)

    # ---------------------------------------------------------------- views

    def _alive(self) -> Life:
        if self._life is not None:
            return self._life
        if isinstance(self._trouble, StoreUnavailable):
            raise from_problem(self._trouble.problem)  # a fresh one, without the last one's trace
        raise SchedulerUnavailable(self._why_no_life())

    def _why_no_life(self) -> str:
        return str(self._trouble or (STARTING if self._leads else STANDING_BY))

    def _worker_view(self, life: Life, worker: Worker) -> WorkerView:
        link = life.links.get(worker.id)
        return worker_view(
            worker,
            life.engine.free(worker.id),
            (attempt.job_id for attempt in life.engine.attempts_on(worker.id)),
            link.usage if link else None,
            time.monotonic() - link.heard_at if link else None,
        )

    def _live(self, life: Life, job: Job) -> Live:
        tasks = life.engine.tasks_of(job.id)
        plan, floor = life.floors.get(job.id, (job.plan, 0.0))
        return Live(
            tasks=tasks,
            progress=life.progress_of(tasks),
            floor=floor if plan == job.plan else 0.0,
            explain=life.engine.explain,
            starts_in=life.engine.starts_in,
        )

    def _detail(self, life: Life, record: JobRecord) -> JobDetail:
        detail = job_detail(record, self._live(life, record.job), life.clock.now())
        self._raise_floor(life, record.job, detail)
        return detail

    def _view(self, life: Life, stored: StoredJob) -> JobView:
        view = job_view(stored.job, stored.spec, self._live(life, stored.job), life.clock.now())
        self._raise_floor(life, stored.job, view)
        return view

    def _raise_floor(self, life: Life, job: Job, view: JobView) -> None:
        if view.progress is not None and job.id in life.engine.jobs:
            life.floors[job.id] = (job.plan, view.progress)


STARTING = "the scheduler is still starting"
STANDING_BY = "this scheduler stands by for the one that leads"


_REQUESTS: Mapping[Action, Callable[[JobId, str], Event]] = {
    Action.PAUSE: PauseRequested,
    Action.RESUME: ResumeRequested,
    Action.CANCEL: CancelRequested,
}
"""Of unfinished jobs, which the engine holds."""


def _load_modules() -> None:
    """What leading takes beside this module, so that who stands by has it.

    Not at the head of this file: whoever calls this actor loads its class, and a database's layers
    take a second that `ffrtmp down` does not have.
    """
    from ffrtmp_ray.store import open as _  # noqa: F401 - to have it loaded


def _no_job(job_id: JobId) -> JobNotFound:
    return JobNotFound("there is no such job", where=job_id, remedy="`ffrtmp jobs` lists them")
