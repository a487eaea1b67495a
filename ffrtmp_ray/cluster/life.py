"""One life of the scheduler: an epoch, from loading the store to the end of the process.

Joins the engine, the store, the workers' links and the fleet; decides nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn, TypeVar

import structlog

from ffrtmp_ray.cluster.clock import Clock, Pulse
from ffrtmp_ray.cluster.commit_loop import CommitLoop, Result
from ffrtmp_ray.cluster.fleet import Cluster, Fleet, WorkerHandle
from ffrtmp_ray.cluster.renewal import SEEN_SECONDS
from ffrtmp_ray.cluster.retention import Dependents, Retention
from ffrtmp_ray.cluster.tally import Tally
from ffrtmp_ray.cluster.worker_link import WorkerDead, WorkerLink
from ffrtmp_ray.core.messages import (
    Discard,
    Event,
    JobAdded,
    JobChanged,
    Outcome,
    Sync,
    WorkerLost,
)
from ffrtmp_ray.core.model import (
    Attempt,
    AttemptId,
    Job,
    JobId,
    Needs,
    OwnerPolicy,
    Policy,
    Progress,
    Snapshot,
    Task,
    TaskState,
    Worker,
    WorkerId,
)
from ffrtmp_ray.core.scheduler import Scheduler
from ffrtmp_ray.errors import Superseded
from ffrtmp_ray.media.assignment import Assignment
from ffrtmp_ray.settings import Owner, Settings
from ffrtmp_ray.store.protocol import Loaded, Store, TaskInput

HEAR_SECONDS = 1.0
"""For a worker that is taken over to answer for the first time; it does so in milliseconds."""

SHARES_EVERY = 5
"""Renewals of the claim until what owners have had is kept with one: a scheduler that is killed
forgets ten seconds of it at most."""
READ_TRIES = 4
WAITED_SECONDS = 5.0
"""A task that has waited for less asks for no machine: one takes a minute to come."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


def policy_of(settings: Settings) -> Policy:
    return Policy(
        backoff_base=settings.backoff_base_seconds,
        backoff_cap=settings.backoff_cap_seconds,
        max_workers_lost=settings.max_workers_lost,
        suspend_limit=settings.suspend_limit_seconds,
        owners={name: _owner_policy(owner) for name, owner in settings.owners.items()},
        other_owners=_owner_policy(settings.other_owners),
        max_queued=settings.max_queued,
        max_wait=settings.max_wait_seconds,
        turn_every=settings.turn_every,
        reserve_limit=settings.reserve_limit_seconds,
    )


def _owner_policy(owner: Owner) -> OwnerPolicy:
    return OwnerPolicy(owner.weight, owner.max_running, owner.max_queued)


def die(error: BaseException) -> NoReturn:
    """End the process at once: what it holds in memory is not what the store holds."""
    log.critical("the scheduler ends itself", error=repr(error))
    os._exit(1)


class Life:
    """See the module; `settings`, `engine`, `links`, `tally` and `floors` are for its reads."""

    def __init__(
        self, settings: Settings, cluster: Cluster, store: Store, epoch: int, loaded: Loaded
    ) -> None:
        self.settings = settings
        self.store = store
        self.epoch = epoch
        self.clock = Clock(loaded.last_time)
        self.engine = Scheduler(policy_of(settings), epoch, loaded.snapshot, self.clock.now())
        self.tally = Tally()
        self.floors: dict[JobId, tuple[int, float]] = {}
        """The plan and the progress of it that callers have been shown, of unfinished jobs."""
        self.links: dict[WorkerId, WorkerLink] = {}
        self.handles: dict[WorkerId, WorkerHandle] = {}
        self.finished_rows = asyncio.Lock()
        """Held by whoever acts on what it has read of finished jobs: nobody removes them, or has
        one tried again, meanwhile."""
        self._cluster = cluster
        self._restored = loaded.snapshot
        self._pulse = Pulse()
        self._loop = CommitLoop(self.engine, store, epoch, self.clock, act=self._act, die=die)
        self._fleet = Fleet(cluster, self, settings)
        self._dependents = Dependents(loaded.snapshot.jobs)
        self._retention = Retention(self, store, epoch, settings.retention_seconds)
        self._readers = ThreadPoolExecutor(2, "store-reader")
        self._talks: dict[WorkerId, asyncio.Task[None]] = {}
        self._losing: set[WorkerId] = set()
        self._errands: set[asyncio.Future[None]] = set()
        self._duties: list[asyncio.Task[None]] = []

    # ---------------------------------------------------------------- its course

    async def begin(self) -> None:
        """Start the commit loop, and take over the workers that outlived the last scheduler."""
        self._duties = [asyncio.create_task(duty) for duty in (self._loop.run(), self._pulse.run())]
        known = {worker.id for worker in self._restored.workers}
        for worker_id in {a.worker_id for a in self._restored.attempts} - known:
            self.lost(worker_id, "it is not known any more")
        self._restored = Snapshot()  # the engine goes on from it: old rows need not stay
        await self._fleet.adopt()
        await self._hear()

    async def _hear(self) -> None:
        """Know the progress of what runs before anybody asks for it: it never goes down."""
        first = [asyncio.create_task(link.heard.wait()) for link in self.links.values()]
        if first:
            _, late = await asyncio.wait(first, timeout=HEAR_SECONDS)
            for each in late:
                each.cancel()

    async def run(self) -> None:
        """Serve until a duty fails; none ever ends otherwise."""
        self._duties += [
            asyncio.create_task(duty)
            for duty in (self._fleet.run(), self._stay_seen(), self._retention.run())
        ]
        await asyncio.gather(*self._duties)

    async def end(self) -> None:
        """Stop what runs on the workers, end them, and leave the store to the next scheduler.

        What was running is ready again: it uses up no attempt.
        """
        for duty in self._duties[2:]:
            duty.cancel()
        for talk in self._talks.values():
            talk.cancel()
        await asyncio.gather(*(self._end_worker(worker_id) for worker_id in list(self.workers)))
        await self._keep_shares()
        await self.write(lambda: self.store.release(self.epoch))

    async def _end_worker(self, worker_id: WorkerId) -> None:
        handle = self.handles.get(worker_id)
        if handle is not None:
            try:
                await asyncio.wait_for(handle.close(), self.settings.silence_seconds)
            except (WorkerDead, ConnectionError, TimeoutError) as trouble:
                log.warning("a worker did not close", worker=worker_id, error=str(trouble))
        self._cluster.kill(worker_id)
        await self.apply([WorkerLost(worker_id, "the scheduler was shut down", orderly=True)])

    async def _stay_seen(self) -> None:
        for number in itertools.count(1):
            await asyncio.sleep(SEEN_SECONDS)
            try:
                if number % SHARES_EVERY:
                    await self.write(lambda: self.store.seen(self.epoch))
                else:
                    await self._keep_shares()
            except Exception as error:  # noqa: BLE001 - superseded, or the store is gone
                die(error)

    async def _keep_shares(self) -> None:
        """Have the store know what owners have had: a later life counts on from there."""
        shares = self.engine.shares()
        await self.write(lambda: self.store.seen(self.epoch, shares))

    # ---------------------------------------------------------------- requests and reads

    async def apply(self, events: Sequence[Event]) -> list[Result]:
        return await self._loop.apply(events)

    async def settled(self) -> None:
        await self._loop.settled()

    def now(self) -> float:
        return self.clock.now()

    async def write(self, work: Callable[[], None]) -> None:
        """Run a write to the store that follows from no event, between commits."""
        await self._loop.write(work)

    async def read(self, work: Callable[[], T]) -> T:
        """Run a read of the store in a thread of the readers."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, work)

    async def read_jobs(self, work: Callable[[], T], jobs: Callable[[T], Iterable[Job]]) -> T:
        """Run a read of `jobs` that goes with the engine as it is until the caller awaits.

        It is run again when one of them has ended since: of that one, neither what was read nor
        the engine would know how far it is. A long list on a busy farm may never stand still, so
        that is done a few times only.
        """
        for _ in range(READ_TRIES):
            found = await self.read(work)
            await self.settled()
            if all(job.state.terminal or self.engine.job(job.id) for job in jobs(found)):
                break
        return found

    def progress_of(self, tasks: Iterable[Task]) -> dict[str, Progress]:
        """The latest progress of those tasks that have an attempt, by task id."""
        found: dict[str, Progress] = {}
        for task in tasks:
            attempt = self.engine.attempt_of(task.id) if task.state.active else None
            link = self.links.get(attempt.worker_id) if attempt else None
            if attempt and link and attempt.id in link.progress:
                found[task.id] = link.progress[attempt.id]
        return found

    # ---------------------------------------------------------------- what links and fleet ask

    @property
    def workers(self) -> Mapping[WorkerId, Worker]:
        return self.engine.workers

    def states_on(self, worker_id: WorkerId) -> dict[AttemptId, TaskState]:
        return {
            attempt.id: self.engine.task(attempt.task_id).state
            for attempt in self.engine.attempts_on(worker_id)
        }

    async def assignments(
        self, worker_id: WorkerId, attempt_ids: Iterable[AttemptId]
    ) -> dict[AttemptId, Assignment]:
        wanted = set(attempt_ids)
        attempts = [a for a in self.engine.attempts_on(worker_id) if a.id in wanted]
        if not attempts:
            return {}
        tasks = {attempt.id: self.engine.task(attempt.task_id) for attempt in attempts}
        inputs = await self.read(lambda: self.store.inputs([task.id for task in tasks.values()]))
        return {
            attempt.id: self._assignment(attempt, tasks[attempt.id], inputs[attempt.task_id])
            for attempt in attempts
        }

    def _assignment(self, attempt: Attempt, task: Task, given: TaskInput) -> Assignment:
        return Assignment(
            attempt_id=attempt.id,
            task_id=task.id,
            job_id=task.job_id,
            kind=task.kind,
            payload=given.payload,
            results=given.results,
            cpus=attempt.grant.resources.cpus,
            gpu=0 if attempt.grant.resources.gpu_sessions else None,
            timeout_seconds=task.timeout_seconds or self.settings.task_timeout_seconds,
            farm_cpus=sum(worker.capacity.cpus for worker in self.workers.values()),
        )

    def superseded(self, epoch: int) -> NoReturn:
        die(Superseded(f"a worker has heard of epoch {epoch}, and this is {self.epoch}"))

    def joined(self, worker: Worker, handle: WorkerHandle) -> None:
        if worker.id in self.links or worker.id in self._losing:
            return
        self.handles[worker.id] = handle
        link = self.links[worker.id] = WorkerLink(
            worker,
            handle,
            self,
            epoch=self.epoch,
            pulse=self._pulse,
            silence_seconds=self.settings.silence_seconds,
        )
        link.want(self.engine.wanted(worker.id))
        self._talks[worker.id] = asyncio.create_task(link.run())

    def unmet(self) -> tuple[Needs, ...]:
        return self.engine.unmet(self.clock.now() - WAITED_SECONDS)

    def lost(self, worker_id: WorkerId, reason: str, *, orderly: bool = False) -> None:
        if worker_id not in self._losing:
            self._losing.add(worker_id)
            self._errand(self._lose(worker_id, reason, orderly=orderly))

    async def _lose(self, worker_id: WorkerId, reason: str, *, orderly: bool) -> None:
        if orderly:
            log.info("a worker is ended", worker=worker_id, reason=reason)
        else:
            log.warning("a worker is lost", worker=worker_id, reason=reason)
        self._cluster.kill(worker_id)  # a silent one may still be at work
        talk = self._talks.pop(worker_id, None)
        if talk is not None:
            talk.cancel()
        self.links.pop(worker_id, None)
        self.handles.pop(worker_id, None)
        await self.apply([WorkerLost(worker_id, reason, orderly=orderly)])
        self._losing.discard(worker_id)
        self._fleet.look_now()

    # ---------------------------------------------------------------- acting on outcomes

    def _act(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self.tally.outcome(outcome)
            for command in outcome.commands:
                match command:
                    case Sync(worker_id, attempts):
                        if worker_id in self.links:
                            self.links[worker_id].want(attempts)
                    case Discard(job_id):
                        self._errand(self._discard_leftovers(job_id))
            for change in outcome.changes:
                if isinstance(change, JobAdded | JobChanged):
                    self._dependents.note(change.job)
                    if change.job.state.terminal:
                        self.floors.pop(change.job.id, None)

    def needed(self) -> set[JobId]:
        """Jobs that unfinished ones depend on."""
        return self._dependents.needed()

    async def _discard_leftovers(self, job_id: JobId) -> None:
        """Remove what a failed or canceled job left unfinished, unless it is tried again by now."""
        async with self.finished_rows:
            record = await self.read(lambda: self.store.job(job_id))
            if record is None or not record.job.state.terminal:
                return
            leftovers = frozenset(
                a.id for a in record.attempts if a.ended_at is not None and a.outcome != "succeeded"
            )
            await self.discard(job_id, leftovers)

    async def discard(self, job_id: JobId, attempts: frozenset[AttemptId]) -> bool:
        """Have some worker remove what those attempts left; whether one has done so."""
        for handle in list(self.handles.values()):
            try:
                await handle.discard(job_id, attempts)
            except (WorkerDead, ConnectionError) as trouble:
                log.warning("files were not removed yet", job=job_id, error=str(trouble))
            else:
                return True
        return False

    def _errand(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._errands.add(task)
        task.add_done_callback(self._ended_errand)

    def _ended_errand(self, task: asyncio.Future[None]) -> None:
        self._errands.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("an errand has failed", exc_info=task.exception())
