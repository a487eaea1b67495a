"""What callers use to reach the scheduler: the REST API, driver scripts, the command line.

Admits jobs before it sends them on, and coalesces: submissions that arrive while one call is in
flight go together in the next, so that many callers cost one call and one commit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from ray.exceptions import RayActorError, RayTaskError

from ffrtmp_ray.cluster.actors import HEALTH, find_scheduler
from ffrtmp_ray.cluster.admission import admit
from ffrtmp_ray.cluster.leader import READY_SECONDS, Deposed, Leader, Scheduler
from ffrtmp_ray.cluster.present import accepted_detail, accepted_view
from ffrtmp_ray.cluster.scheduler_actor import About
from ffrtmp_ray.cluster.submission import new_job_id, submission
from ffrtmp_ray.core.messages import JobSubmitted
from ffrtmp_ray.core.model import Document, Job, JobId, WorkerId
from ffrtmp_ray.errors import (
    CallerError,
    FfrtmpError,
    InvalidRequest,
    Problem,
    SchedulerUnavailable,
    StorageUnavailable,
    StoreUnavailable,
    from_problem,
)
from ffrtmp_ray.media.spec import MOST_IN_BATCH, JobChange, JobSpec
from ffrtmp_ray.metrics import Readings
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.store.protocol import JobQuery
from ffrtmp_ray.views import Action, JobDetail, JobList, JobView, LogView, ReadyView, WorkerView

PATIENCE_SECONDS = 20.0
"""How long a request waits for a scheduler that is being restarted."""
RETRY_SECONDS = 0.05
MOST_AT_ONCE = 500
"""Jobs after which a call takes no further submission with it."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Submission:
    """What one caller wants accepted together."""

    jobs: Sequence[JobSubmitted]
    answers: asyncio.Future[list[Job | Problem]]


class Gateway:
    """Used from one event loop. Methods raise CallerErrors, and SchedulerUnavailable."""

    def __init__(self, leader: Leader) -> None:
        self._leader = leader
        self._settings: Settings | None = None
        self._waiting: list[_Submission] = []
        self._sender: asyncio.Task[None] | None = None

    @classmethod
    async def connect(cls) -> Gateway:
        """A gateway to the cluster that this process is connected to."""
        return cls(Leader(find_scheduler))

    # ---------------------------------------------------------------- jobs

    async def submit(self, spec: JobSpec) -> JobDetail:
        """Accept a job; when this returns, no crash loses it."""
        settings = await self.settings()
        event = _value(await asyncio.to_thread(_admitted, spec, settings))
        (answer,) = await self._accept([event])
        return accepted_detail(_value(answer), event.spec)

    async def submit_many(self, specs: Sequence[JobSpec]) -> list[JobView | Problem]:
        """Accept jobs in one commit, and answer for each in their order.

        One that is refused costs the others nothing. Raises InvalidRequest for more than
        MOST_IN_BATCH.
        """
        if len(specs) > MOST_IN_BATCH:
            raise InvalidRequest(
                f"there are {len(specs)} jobs in the batch", remedy=f"send {MOST_IN_BATCH} at most"
            )
        settings = await self.settings()
        tried = await asyncio.to_thread(lambda: [_admitted(spec, settings) for spec in specs])
        events = [each for each in tried if not isinstance(each, Problem)]
        accepted = iter(await self._accept(events) if events else ())
        return [
            each if isinstance(each, Problem) else _seen(next(accepted), each.spec)
            for each in tried
        ]

    async def _accept(self, jobs: Sequence[JobSubmitted]) -> list[Job | Problem]:
        answers: asyncio.Future[list[Job | Problem]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Submission(jobs, answers))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        return await answers

    async def _send(self) -> None:
        while self._waiting:
            group = self._next_group()
            jobs = [job for waiting in group for job in waiting.jobs]
            try:
                answers = iter(await self._submit(jobs))
            except Exception as error:  # noqa: BLE001 - each of the waiting callers gets it
                for waiting in group:
                    if not waiting.answers.done():
                        waiting.answers.set_exception(error)
                continue
            for waiting in group:
                own = list(islice(answers, len(waiting.jobs)))
                if not waiting.answers.done():  # its caller may have gone
                    waiting.answers.set_result(own)

    def _next_group(self) -> list[_Submission]:
        """The oldest of those that wait, as many as one call takes; a batch is never split."""
        jobs, number = 0, 0
        while number < len(self._waiting) and jobs < MOST_AT_ONCE:
            jobs += len(self._waiting[number].jobs)
            number += 1
        group, self._waiting = self._waiting[:number], self._waiting[number:]
        return group

    async def _submit(self, jobs: list[JobSubmitted]) -> list[Job | Problem]:
        return await self._call(lambda s, again: s.submit.remote(jobs, again=again))

    async def job(self, job_id: JobId) -> JobDetail:
        answer: JobDetail | Problem = await self._call(lambda s, _: s.job.remote(job_id))
        return _value(answer)

    async def jobs(self, query: JobQuery) -> JobList:
        return await self._call(lambda s, _: s.jobs.remote(query))

    async def control(self, job_id: JobId, action: Action, who: str) -> JobDetail:
        answer: JobDetail | Problem = await self._call(
            lambda s, _: s.control.remote(job_id, action, who)
        )
        return _value(answer)

    async def change(self, job_id: JobId, change: JobChange, who: str) -> JobDetail:
        """Give an unfinished job another place in the order, or other labels."""
        answer: JobDetail | Problem = await self._call(
            lambda s, _: s.change.remote(job_id, change, who)
        )
        return _value(answer)

    async def logs(self, job_id: JobId) -> list[LogView]:
        return _value(await self._call(lambda s, _: s.logs.remote(job_id)))

    # ---------------------------------------------------------------- workers and the system

    async def workers(self) -> list[WorkerView]:
        return await self._call(lambda s, _: s.workers.remote())

    async def drain(self, worker_id: WorkerId, *, on: bool) -> WorkerView:
        """Give a worker nothing new (`on`), or again; shows it as it is then."""
        answer: WorkerView | Problem = await self._call(
            lambda s, _: s.drain.remote(worker_id, on=on)
        )
        return _value(answer)

    async def readings(self) -> Readings:
        return await self._call(lambda s, _: s.readings.remote())

    async def settings(self) -> Settings:
        """The settings that the cluster works by."""
        if self._settings is None:
            about: About = await self._call(lambda s, _: s.about.remote())
            self._settings = about.settings
        return self._settings

    async def ready(self) -> ReadyView:
        """Never raises: what keeps the system from being ready is in the answer."""
        try:
            async with asyncio.timeout(READY_SECONDS):
                standby = await self._leader.look()
                ready = await self._leader.call(_readiness)
            return ready.model_copy(update={"standby": standby})
        except (RayActorError, Deposed):  # the text of Ray's is a page on its insides
            reason = "the scheduler has died; Ray starts it again"
        except TimeoutError:
            reason = f"the scheduler did not answer in {READY_SECONDS:g} s"
        except (FfrtmpError, RayTaskError) as trouble:
            reason = str(trouble)
        return ReadyView(ready=False, scheduler=False, store=False, workers=0, reasons=(reason,))

    # ---------------------------------------------------------------- the one way to call

    async def _call(self, call: Callable[[Scheduler, bool], Awaitable[T]]) -> T:
        """Call the scheduler, again while it is being restarted or another one takes over.

        The second argument says that an earlier try may have got through.
        """
        until = time.monotonic() + PATIENCE_SECONDS
        again = False
        while True:
            try:
                return await self._once(call, again)
            except RayTaskError as error:
                trouble: Exception = error
                if isinstance(error.cause, StoreUnavailable):
                    raise error.cause from None  # a full disk takes longer than anybody's patience
                if not isinstance(error.cause, SchedulerUnavailable):
                    raise
            except SchedulerUnavailable as error:
                trouble = error
            except (RayActorError, Deposed) as error:
                trouble, again = error, True
            if time.monotonic() > until:
                raise SchedulerUnavailable(
                    f"the scheduler did not answer for {PATIENCE_SECONDS:g} s",
                    remedy="look at `ffrtmp doctor` and the Ray dashboard",
                ) from trouble
            await asyncio.sleep(RETRY_SECONDS)

    async def _once(
        self,
        call: Callable[[Scheduler, bool], Awaitable[T]],
        again: bool,
    ) -> T:
        return await self._leader.call(lambda scheduler: call(scheduler, again))


def _readiness(scheduler: Scheduler) -> Awaitable[ReadyView]:
    answer: Awaitable[ReadyView] = scheduler.ready.options(concurrency_group=HEALTH).remote()
    return answer


def _admitted(spec: JobSpec, settings: Settings) -> JobSubmitted | Problem:
    """Looks at the file system, so it is to be called in a thread."""
    try:
        return submission(new_job_id(), admit(spec, settings), settings)
    except (CallerError, StorageUnavailable) as refusal:
        return refusal.problem


def _seen(answer: Job | Problem, spec: Document) -> JobView | Problem:
    return answer if isinstance(answer, Problem) else accepted_view(answer, spec)


def _value(answer: T | Problem) -> T:
    if isinstance(answer, Problem):
        raise from_problem(answer)
    return answer
