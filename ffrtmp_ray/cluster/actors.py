"""Ray, as this system uses it: `ray.remote` is applied here and nowhere else.

Turns plain classes into actors, finds and ends them, and tells Ray's errors apart.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import Any, TypeVar, cast

import ray
import structlog
from ray.actor import ActorHandle
from ray.exceptions import (
    ActorDiedError,
    ActorUnschedulableError,
    GetTimeoutError,
    RayActorError,
    RayError,
    RayTaskError,
)
from ray.util import list_named_actors
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ffrtmp_ray.cluster import collector
from ffrtmp_ray.cluster.machines import Bundle
from ffrtmp_ray.cluster.names import NAMESPACE as NAMESPACE
from ffrtmp_ray.cluster.names import SCHEDULER as SCHEDULER
from ffrtmp_ray.cluster.names import SCHEDULERS as SCHEDULERS
from ffrtmp_ray.cluster.protocol import Answer, Order
from ffrtmp_ray.cluster.scheduler_actor import SchedulerActor
from ffrtmp_ray.cluster.slots import Node, Slot
from ffrtmp_ray.cluster.worker_actor import WorkerActor
from ffrtmp_ray.cluster.worker_link import WorkerDead
from ffrtmp_ray.core.model import Worker, WorkerId
from ffrtmp_ray.errors import MachineError, SchedulerUnavailable
from ffrtmp_ray.settings import Settings

HEALTH = "health"
"""The concurrency group of calls that must be answered while the scheduler is busy."""

GONE_SECONDS = 5.0
"""For Ray to end a scheduler that is killed."""

T = TypeVar("T")

log = structlog.get_logger(__name__)


# ---------------------------------------------------------------- the scheduler


def create_scheduler(
    settings: Settings, fleet: RayFleet | None = None, name: str = SCHEDULER
) -> ActorHandle[Any]:
    """Start a scheduler on the cluster's head node; it outlives its creator. `fleet` has the nodes
    and workers; None: Ray's own.

    Raises ValueError when there is one of that name already.
    """
    holder = ray.get_runtime_context().get_session_name()
    # Ray takes the groups from its decorator only.
    scheduler: Any = ray.remote(concurrency_groups={HEALTH: 8})(SchedulerActor)  # type: ignore[call-overload]  # Ray's types forget the groups
    options = scheduler.options(
        name=name,
        namespace=NAMESPACE,
        lifetime="detached",
        max_restarts=-1,
        max_concurrency=10_000,
        num_cpus=0,
        resources={"node:__internal_head__": 0.001},
        runtime_env={"env_vars": collector.IN_LARGE_PAGES},
    )
    return cast("ActorHandle[Any]", options.remote(settings, holder, fleet or RayFleet()))


def find_scheduler(name: str = SCHEDULER) -> ActorHandle[Any]:
    """Raises SchedulerUnavailable when the cluster has none of that name."""
    try:
        return ray.get_actor(name, NAMESPACE)
    except ValueError:
        raise SchedulerUnavailable(
            "no scheduler runs on this cluster", remedy="start it with `ffrtmp up`"
        ) from None


def schedulers() -> list[ActorHandle[Any]]:
    """All that there are: one that leads, and one that stands by."""
    found = []
    for name in SCHEDULERS:
        with suppress(SchedulerUnavailable):
            found.append(find_scheduler(name))
    return found


def end_schedulers(timeout_seconds: float) -> None:
    """Have what runs on the workers stop, and end all schedulers; those that do not end in order
    within that time are killed."""
    # Killing loses nothing either: what ran is found lost later. Who stands by does nothing.
    calls: list[ray.ObjectRef[None]] = [each.end.remote() for each in schedulers()]
    with suppress(RayActorError, RayTaskError, GetTimeoutError):
        ray.get(calls, timeout=timeout_seconds)
    kill_schedulers()


def kill_schedulers() -> None:
    """End all schedulers at once, and wait until their names are free; their workers run on."""
    until = time.monotonic() + GONE_SECONDS
    while there := schedulers():
        for each in there:
            kill(each)
        if time.monotonic() > until:
            raise MachineError(
                "the old scheduler does not go away", remedy="look at the Ray dashboard"
            )
        time.sleep(0.05)


def kill(actor: ActorHandle[Any]) -> None:
    """End an actor's process at once, and its child processes with it; no restart."""
    ray.kill(actor, no_restart=True)


def named_workers() -> set[WorkerId]:
    """Every worker actor that is alive, whether a scheduler knows it or not."""
    return {
        actor["name"]
        for actor in list_named_actors(all_namespaces=True)
        if actor["namespace"] == NAMESPACE and actor["name"].startswith("worker-")
    }


def kill_worker(worker_id: WorkerId) -> None:
    """End a worker, if there is one of that id."""
    try:
        kill(ray.get_actor(worker_id, NAMESPACE))
    except ValueError:
        return


# ---------------------------------------------------------------- workers


class RayFleet:
    """The cluster's nodes and workers, over Ray. Calls but `create` take milliseconds at most."""

    def nodes(self) -> list[Node]:
        """Nodes that Ray holds for alive, with whole CPUs and GPUs."""
        return [
            Node(
                id=node["NodeID"],
                hostname=node["NodeManagerHostname"],
                cpus=int(node["Resources"].get("CPU", 0)),
                gpus=int(node["Resources"].get("GPU", 0)),
            )
            for node in ray.nodes()  # type: ignore[no-untyped-call]  # Ray has not typed it
            if node["Alive"]
        ]

    def create(self, worker: Worker, slot: Slot, settings: Settings) -> RayHandle:
        """Start a worker in its slot; it outlives the scheduler. Says nothing of success."""
        options: Any = ray.remote(WorkerActor).options(
            name=worker.id,
            namespace=NAMESPACE,
            lifetime="detached",
            max_restarts=0,
            max_concurrency=1_000,
            num_cpus=slot.cpus,
            num_gpus=slot.gpus,
            scheduling_strategy=NodeAffinitySchedulingStrategy(slot.node_id, soft=False),
        )
        gpu = 0 if slot.gpus else None  # Ray shows a worker no GPU but its own
        return RayHandle(options.remote(worker, settings, gpu))

    def find(self, worker_id: WorkerId) -> RayHandle | None:
        """The worker of that id, if it is alive."""
        try:
            return RayHandle(ray.get_actor(worker_id, NAMESPACE))
        except ValueError:
            return None

    def unknown(self, known: set[WorkerId]) -> set[WorkerId]:
        return named_workers() - known

    def kill(self, worker_id: WorkerId) -> None:
        kill_worker(worker_id)

    def stand_by(self, settings: Settings) -> None:
        """See to it that there is a scheduler beside the one that calls. Call it in a thread."""
        for name in SCHEDULERS:
            with suppress(ValueError):  # it is there
                create_scheduler(settings, self, name)

    def request(self, bundles: Sequence[Bundle]) -> None:
        """Tell Ray's autoscaler what must fit on the cluster, in place of what it was told last.

        Takes a moment, or longer where Ray is busy: call it in a thread.
        """
        # A scheduler that is started again is not to load this first.
        from ray.autoscaler.sdk import request_resources

        request_resources(bundles=[dict(each) for each in bundles])


class RayHandle:
    """One worker, called over Ray. Raises WorkerDead, or ConnectionError for all else."""

    def __init__(self, actor: ActorHandle[Any]) -> None:
        self._actor = actor

    async def hello(self) -> tuple[int, Worker]:
        return await _told_apart(self._actor.hello.remote())

    async def sync(self, order: Order) -> None:
        await _told_apart(self._actor.sync.remote(order))

    async def poll(self, epoch: int, acknowledged: int) -> Answer:
        return await _told_apart(self._actor.poll.remote(epoch, acknowledged))

    async def tail(self, attempt_id: str) -> str | None:
        return await _told_apart(self._actor.tail.remote(attempt_id))

    async def discard(self, job_id: str, attempts: frozenset[str]) -> None:
        await _told_apart(self._actor.discard.remote(job_id, attempts))

    async def close(self) -> None:
        await _told_apart(self._actor.close.remote())


async def _told_apart(call: Awaitable[T]) -> T:
    try:
        return await call
    except ActorDiedError:
        raise WorkerDead("its process has died") from None
    except ActorUnschedulableError as death:
        raise WorkerDead(_first_line(death)) from None
    except RayTaskError as defect:
        log.exception("a worker's method failed", error=_first_line(defect))
        raise ConnectionError(_first_line(defect)) from defect
    except (RayActorError, RayError) as trouble:
        raise ConnectionError(_first_line(trouble)) from trouble


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
