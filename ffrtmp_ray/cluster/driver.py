"""For driver scripts: the farm as one typed object, used without async.

    farm = ffrtmp_ray.connect()
    job = farm.submit(input="/srv/in.mov", output="/srv/out.mp4", preset="web")
    print(farm.wait(job.id).outputs)

Talks to the actors, not to the HTTP API. The script must run on a machine of the cluster.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import ray
from pydantic import ValidationError

from ffrtmp_ray import following
from ffrtmp_ray.cluster import ray_environment, record
from ffrtmp_ray.cluster.actors import NAMESPACE
from ffrtmp_ray.cluster.gateway import Gateway
from ffrtmp_ray.cluster.record import ClusterRecord
from ffrtmp_ray.core.model import JobState, Priority, Queue
from ffrtmp_ray.errors import InvalidRequest, MachineError, Problem
from ffrtmp_ray.media.spec import JobChange, JobSpec
from ffrtmp_ray.media.spec.base import SpecModel
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.store.protocol import MAX_PAGE, JobQuery
from ffrtmp_ray.views import Action, JobDetail, JobView, LogView, ReadyView, WorkerView

LOOK_SECONDS = 0.25
"""Between two looks at a job that is waited for."""
PATIENCE_SECONDS = 60.0
"""For which a job is waited for while the scheduler does not answer."""

T = TypeVar("T")
SpecT = TypeVar("SpecT", bound=SpecModel)


class Farm:
    """The cluster that this process is connected to. Methods raise the errors of `errors`."""

    def __init__(self, *, who: str = "python", connected_here: bool = False) -> None:
        """`connected_here`: closing ends this process's connection to Ray, too."""
        self._who = who
        self._connected_here = connected_here
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="ffrtmp", daemon=True)
        self._thread.start()
        self._gateway = self._run(Gateway.connect())

    def submit(self, spec: JobSpec | None = None, **fields: Any) -> JobDetail:
        """Accept a job, given as a spec or as its fields."""
        if (spec is None) == (not fields):
            raise InvalidRequest("give either a JobSpec or its fields")
        return self._run(self._gateway.submit(spec or _made(JobSpec, fields)))

    def submit_many(self, specs: Sequence[JobSpec]) -> Sequence[JobView | Problem]:
        """Accept up to MOST_IN_BATCH jobs in one commit, and answer for each in their order.

        One that is refused is a Problem, and costs the others nothing; `errors.from_problem`
        makes the error of it.
        """
        return self._run(self._gateway.submit_many(specs))

    def get(self, job_id: str) -> JobDetail:
        return self._run(self._gateway.job(job_id))

    def list(
        self,
        *,
        states: Iterable[JobState] = (),
        queues: Iterable[Queue] = (),
        owner: str | None = None,
    ) -> Iterator[JobView]:
        """Jobs that pass the filters, newest first; fetched page by page."""
        before = None
        while True:
            query = JobQuery(tuple(states), tuple(queues), owner, before, MAX_PAGE)
            page = self._run(self._gateway.jobs(query))
            yield from page.jobs
            if page.next_cursor is None:
                return
            before = int(page.next_cursor)

    def watch(self, job_id: str) -> Iterator[JobDetail]:
        """The job now, and again whenever it has changed, until it has ended.

        Goes on over a scheduler that is started anew. Raises JobNotFound, and Unavailable when it
        has not answered for PATIENCE_SECONDS.
        """
        return following.changes(self._looks(job_id))

    def wait(self, job_id: str, *, timeout: float | None = None) -> JobDetail:
        """The job when it has ended. Raises TimeoutError after `timeout` seconds, and what `watch`
        raises."""
        return following.end(self._looks(job_id), job_id, timeout)

    def _looks(self, job_id: str) -> Iterator[JobDetail | None]:
        return following.looks(
            lambda: self.get(job_id), interval=LOOK_SECONDS, patience=PATIENCE_SECONDS
        )

    def pause(self, job_id: str) -> JobDetail:
        return self._control(job_id, Action.PAUSE)

    def resume(self, job_id: str) -> JobDetail:
        return self._control(job_id, Action.RESUME)

    def cancel(self, job_id: str) -> JobDetail:
        return self._control(job_id, Action.CANCEL)

    def retry(self, job_id: str) -> JobDetail:
        return self._control(job_id, Action.RETRY)

    def change(
        self,
        job_id: str,
        *,
        queue: Queue | None = None,
        priority: Priority | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> JobDetail:
        """Give an unfinished job another queue or priority, or other labels (all of them)."""
        change = _made(JobChange, {"queue": queue, "priority": priority, "labels": labels})
        return self._run(self._gateway.change(job_id, change, self._who))

    def logs(self, job_id: str) -> Sequence[LogView]:
        return self._run(self._gateway.logs(job_id))

    def workers(self) -> Sequence[WorkerView]:
        return self._run(self._gateway.workers())

    def drain(self, worker_id: str, *, on: bool = True) -> WorkerView:
        """Give a worker nothing new, or, with `on=False`, again; what it has it finishes."""
        return self._run(self._gateway.drain(worker_id, on=on))

    def ready(self) -> ReadyView:
        return self._run(self._gateway.ready())

    def close(self) -> None:
        """End this handle; the cluster and the jobs go on."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._connected_here:
            ray.shutdown()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _control(self, job_id: str, action: Action) -> JobDetail:
        return self._run(self._gateway.control(job_id, action, self._who))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _made(kind: type[SpecT], fields: dict[str, Any]) -> SpecT:
    try:
        return kind(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(step) for step in first["loc"])
        raise InvalidRequest(first["msg"], where=field or None) from error


def connect(address: str | None = None) -> Farm:
    """Connect to the farm on this machine or at a Ray `address` (`host:port`).

    Without an address: the one that `ffrtmp up` has left on this machine, else what the variable
    RAY_ADDRESS or the last `ray start` names. A process that is connected to Ray already stays
    with its cluster, and may give no address.

    Raises MachineError for an address that is none, or at which nothing answers.
    """
    fresh = not ray.is_initialized()
    if fresh:
        cluster = _cluster(address)
        if not ray_environment.answers(*ray_environment.host_and_port(cluster.address)):
            raise MachineError(
                f"no Ray answers at {cluster.address}", remedy="`ffrtmp up` starts a farm"
            )
        ray_environment.enter(cluster)
        ray.init(address=cluster.address, namespace=NAMESPACE, log_to_driver=False)
    elif address is not None:
        raise InvalidRequest(
            "this process is connected to a Ray cluster already",
            where="address",
            remedy="leave it out to use that cluster, or end the connection first",
        )
    return Farm(connected_here=fresh)


def _cluster(address: str | None) -> ClusterRecord:
    left = record.read(Settings().state_dir)
    if left is not None and address in (None, left.address):
        return left
    return ClusterRecord(address or ray_environment.running_address())
