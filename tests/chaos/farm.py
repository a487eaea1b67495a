"""A farm of three Ray nodes on one machine, and the ways to its processes.

Starts and ends nodes, finds processes, and breaks nothing: that is the hand's.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import psutil

from ffrtmp_ray.client import Client
from ffrtmp_ray.cluster import local_ports, processes
from ffrtmp_ray.cluster.haproxy_wrapper import write_wrapper
from ffrtmp_ray.cluster.ray_environment import SYSTEM_CONFIG, head_environment
from ffrtmp_ray.errors import Unavailable
from ffrtmp_ray.settings import Settings

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

    from ffrtmp_ray.cluster.driver import Farm

HOST = "127.0.0.1"
WORK_NODES = 2
"""Beside the head, which has no CPUs and is never killed: it is the cluster."""
READY_SECONDS = 120.0
END_SECONDS = 10.0

T = TypeVar("T")


@dataclass
class ChaosFarm:
    cluster: Cluster
    client: Client
    """Over HTTP, as users come."""
    inside: Farm
    """Straight to the scheduler, so that what is seen of it does not depend on the API."""
    settings: Settings
    mark: str
    """In the environment of every process of this cluster, and of no other."""

    # ---------------------------------------------------------------- nodes

    def work_nodes(self) -> list[Any]:
        """Those whose raylet lives, in an order that stays."""
        found = [node for node in list(self.cluster.worker_nodes) if raylet_of(node) is not None]
        return sorted(found, key=lambda node: node.node_id)

    def add_node(self) -> None:
        """In the main thread: Ray sets handlers of signals."""
        self.cluster.add_node(num_cpus=1, node_ip_address=HOST)

    def kill_node(self, node: Any) -> None:
        """SIGKILL to its raylet and what else Ray runs on it."""
        self.cluster.remove_node(node, allow_graceful=False)

    # ---------------------------------------------------------------- processes

    def actors(self, class_name: str) -> list[psutil.Process]:
        """The living processes of an actor class, the oldest first."""
        found = [
            child
            for node in (self.cluster.head_node, *self.work_nodes())
            for child in children_of(raylet_of(node))
            if title_of(child).startswith(f"ray::{class_name}")
        ]
        return sorted(found, key=lambda process: process.pid)

    def workers(self) -> dict[str, psutil.Process]:
        """The process of each ready worker, by the worker's id."""
        by_node = {
            node.node_id: process
            for node in self.work_nodes()
            for process in children_of(raylet_of(node))
            if title_of(process).startswith("ray::WorkerActor")
        }
        return {
            view.id: by_node[view.node]
            for view in self.inside.workers()
            if view.state == "ready" and view.cpus and view.node in by_node
        }

    def ffmpegs(self) -> list[psutil.Process]:
        """Every ffmpeg below the workers."""
        return [
            child
            for worker in self.actors("WorkerActor")
            for child in children_of(worker, recursive=True)
            if is_ffmpeg(child)
        ]

    def orphans(self) -> list[str]:
        """Every process of this cluster that does work and has no worker above it."""
        kept = {worker.pid for worker in self.actors("WorkerActor")}
        return [
            f"{process.pid} {title_of(process)[:200]}"
            for process in processes.marked(self.mark)
            if (is_ffmpeg(process) or "ffrtmp_ray.media.probe" in title_of(process))
            and not kept & {parent.pid for parent in parents_of(process)}
        ]

    # ---------------------------------------------------------------- requests

    def asked(self, request: Callable[[], T], seconds: float = 60.0) -> T:
        """The answer to a request that may be repeated, from a farm that may be away."""
        until = time.monotonic() + seconds
        while True:
            try:
                return request()
            except Unavailable:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)


@contextmanager
def chaos_farm(folder: Path, **settings: Any) -> Iterator[ChaosFarm]:
    """The farm, ready to take jobs; at the end all its processes are ended.

    `folder` holds all of it, and has a short path: Ray's sockets lie in it. For a process of its
    own that has not imported Ray yet, which reads the environment then.
    """
    mark = f"chaos-{folder.name}"
    ports = local_ports.choose(HOST)
    temp_dir = folder / "ray"
    (temp_dir / "tmp" / "ray").mkdir(parents=True)  # where Ray notes the last cluster
    wrapper = write_wrapper(temp_dir)
    os.environ.update(head_environment(mark, temp_dir, ports, loopback=True, haproxy=wrapper))

    import ray
    from ray.cluster_utils import Cluster

    from ffrtmp_ray.cluster.actors import NAMESPACE
    from ffrtmp_ray.cluster.deploy import deploy
    from ffrtmp_ray.cluster.driver import Farm

    cluster = Cluster()
    try:
        cluster.add_node(
            num_cpus=0,
            node_ip_address=HOST,
            include_dashboard=False,
            dashboard_port=ports.dashboard,  # Ray keeps it even so
            temp_dir=str(temp_dir),
            _system_config=dict(SYSTEM_CONFIG),
        )
        wanted = Settings(
            state_dir=folder / "state",
            input_roots=(folder,),
            output_roots=(folder,),
            http_port=local_ports.free_port(HOST),
            **settings,
        )
        for _ in range(WORK_NODES):
            cluster.add_node(num_cpus=1, node_ip_address=HOST)
        deployed = deploy(
            wanted,
            ray_address=cluster.address,
            timeout_seconds=READY_SECONDS,
            claim=lambda: None,
            say=lambda _: None,
        )
        ray.init(
            address=cluster.address,
            namespace=NAMESPACE,
            log_to_driver=False,
            logging_level=logging.CRITICAL,  # that nodes die is known
        )
        with Client(deployed.http) as client, Farm(who="chaos", connected_here=True) as inside:
            yield ChaosFarm(cluster, client, inside, wanted, mark)
    finally:
        cluster.shutdown()
        processes.end(lambda: processes.marked(mark), 0, END_SECONDS)


# -------------------------------------------------------------------- processes, plainly


def raylet_of(node: Any) -> psutil.Process | None:
    """None when it has been killed."""
    for raylet in node.all_processes.get("raylet", ()):
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(raylet.process.pid)
    return None


def title_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def is_ffmpeg(process: psutil.Process) -> bool:
    try:
        return process.name().startswith("ffmpeg")
    except psutil.Error:
        return False


def children_of(process: psutil.Process | None, *, recursive: bool = False) -> list[psutil.Process]:
    try:
        return process.children(recursive=recursive) if process else []
    except psutil.Error:
        return []


def parents_of(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.parents()
    except psutil.Error:
        return []


def is_stopped(process: psutil.Process) -> bool:
    """Whether it stands still (SIGSTOP), or is gone."""
    try:
        return process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return True


def is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
