"""Puts the scheduler and the HTTP API on a Ray cluster, and takes them off it again.

Touches nothing on the cluster that is not ours: a detached actor, its workers, one Serve
application.
"""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import ray
from ray import serve
from ray.exceptions import GetTimeoutError, RayActorError, RayTaskError
from ray.serve.context import _get_global_client

from ffrtmp_ray.cluster.actors import (
    NAMESPACE,
    create_scheduler,
    end_schedulers,
    kill_schedulers,
    kill_worker,
    named_workers,
    schedulers,
)
from ffrtmp_ray.cluster.record import EVERY_ADDRESS, http_base, is_loopback
from ffrtmp_ray.cluster.scheduler_actor import VERSION, About
from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.store.open import migrate
from ffrtmp_ray.views import ReadyView

APPLICATION = "ffrtmp"
BUILDER = "serve.app:build"
"""By import path, since nothing here may import the HTTP edge."""
ABOUT_SECONDS = 5.0
AGAIN_SECONDS = 0.5
"""Before the next try at Serve."""
END_SECONDS = 6.0
"""For the workers to stop what they run, and their processes with it."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Deployed:
    address: str
    """Of Ray: `host:port`."""
    http: str
    """Base URL of the REST API."""
    dashboard: str | None
    """URL of the Ray dashboard, when it runs."""
    epoch: int
    """The number of this life of the scheduler."""


def deploy(
    settings: Settings,
    *,
    ray_address: str,
    timeout_seconds: float,
    claim: Callable[[], None],
    say: Say,
) -> Deployed:
    """Bring the system up on the cluster at `ray_address`; return when it takes jobs.

    `claim` is called when the cluster has let us in, before anything is put there. To be run on the
    head node. Run again, it upgrades in place: a scheduler of another version or with other
    settings is replaced, and its running tasks are adopted by the new one.

    Raises MachineError when the cluster does not let us in, or it is not ready in time.
    """
    until = time.monotonic() + timeout_seconds
    with connected(ray_address) as dashboard:
        claim()
        say("migrating the store")
        migrate(settings.database_url)
        say("starting the scheduler")
        _put_scheduler(settings)
        say("starting the HTTP API")
        _put_api(settings, until)
        say("waiting for the first worker")
        base = http_base(settings.http_host, settings.http_port)
        epoch = _wait_until_ready(base, until)
        return Deployed(ray.get_runtime_context().gcs_address, base, dashboard, epoch)


def withdraw(ray_address: str, *, timeout_seconds: float, say: Say) -> None:
    """Take the system off the cluster: what runs is stopped, and ready again at the next start."""
    with connected(ray_address):
        say("stopping the workers")
        end_schedulers(min(END_SECONDS, timeout_seconds))
        for worker_id in named_workers():
            kill_worker(worker_id)
        say("stopping the HTTP API")
        if APPLICATION in serve.status().applications:
            serve.delete(APPLICATION)


@contextmanager
def connected(ray_address: str) -> Iterator[str | None]:
    """Connect this process to a cluster for a while; gives the URL of its dashboard.

    Raises MachineError when the cluster does not let us in.
    """
    logging.getLogger("ray.serve").setLevel(logging.WARNING)  # `say` tells what is done
    if ray.is_initialized():
        raise MachineError("this process is connected to a Ray cluster already")
    try:
        context = ray.init(
            address=ray_address,
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except (ConnectionError, RuntimeError) as error:
        raise MachineError(
            f"the Ray at {ray_address} does not let us in",
            remedy="see above; if it wants a token, set RAY_AUTH_MODE=token here as it is there",
        ) from error
    try:
        yield f"http://{context.dashboard_url}" if context.dashboard_url else None
    finally:
        ray.shutdown()


# ---------------------------------------------------------------- the scheduler


def _put_scheduler(settings: Settings) -> None:
    # One of two may just be started again, and not say what it is; it is what the other one is.
    told = [about for each in schedulers() if (about := _about(each)) is not None]
    if not told or any(about != About(VERSION, settings) for about in told):
        kill_schedulers()
        create_scheduler(settings)


def _about(scheduler: Any) -> About | None:
    """What runs; None when it does not say so, which an other version's may not."""
    try:
        call: ray.ObjectRef[About] = scheduler.about.remote()
        return ray.get(call, timeout=ABOUT_SECONDS)
    except (RayActorError, RayTaskError, GetTimeoutError, AttributeError):
        return None


# ---------------------------------------------------------------- the HTTP API


def _put_api(settings: Settings, until: float) -> None:
    try:
        _start_serve(settings, until)
        _check_port(settings.http_port)
        module, _, name = BUILDER.partition(":")
        build = getattr(importlib.import_module(module), name)
        serve.run(build({"replicas": settings.api_replicas}), name=APPLICATION, route_prefix="/")
    except (TimeoutError, RuntimeError, RayActorError) as error:
        raise MachineError(
            f"the HTTP API does not start: {error}",
            remedy="look at Serve's logs in the Ray dashboard; is the port free?",
        ) from error


def _start_serve(settings: Settings, until: float) -> None:
    """Serve ends a proxy that has come up too slowly, as on a busy machine, and starts another."""
    # HAProxy reaches a replica of its own node at 127.0.0.1, whatever address Serve was given.
    host = settings.http_host if is_loopback(settings.http_host) else EVERY_ADDRESS
    options = {"host": host, "port": settings.http_port}
    while True:
        try:
            serve.start(proxy_location="HeadOnly", http_options=options)
        except RayActorError:
            if time.monotonic() > until:
                raise
            time.sleep(AGAIN_SECONDS)
        else:
            return


def _check_port(wanted: int) -> None:
    """Serve has one port for all its applications, and keeps the one that it was started with."""
    client = _get_global_client()
    port = client.http_config.port if client else wanted
    if port != wanted:
        raise MachineError(
            f"the Serve on that cluster listens on port {port}, not {wanted}",
            remedy=f"take its port: --port {port}",
        )


def _wait_until_ready(base: str, until: float) -> int:
    """The scheduler's epoch, when the API at `base` says that one of this cluster takes jobs."""
    reasons: tuple[str, ...] = ("it does not answer",)
    while time.monotonic() < until:
        try:
            said = ReadyView.model_validate(
                httpx.get(f"{base}/ready", timeout=ABOUT_SECONDS).json()
            )
            ours = {_epoch(each) for each in schedulers()} if said.ready else set()
        except (httpx.HTTPError, ValueError, RayActorError, GetTimeoutError):
            time.sleep(0.1)
            continue
        if said.epoch is not None and said.epoch in ours:
            return said.epoch
        reasons = said.reasons or ("it answers for another farm",)
        time.sleep(0.1)
    raise MachineError(
        f"{base}/ready is not ready in time: {'; '.join(reasons)}",
        remedy="look at the scheduler's and the workers' logs in the Ray dashboard",
    )


def _epoch(scheduler: Any) -> int | None:
    """None: it does not lead."""
    ready: ReadyView = ray.get(scheduler.ready.remote(), timeout=ABOUT_SECONDS)
    return ready.epoch
