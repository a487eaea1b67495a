"""A farm on this machine whose Ray node passes for many of one CPU: a worker for each.

Ray, the scheduler and the workers are those of every farm; only the list of nodes is made up. There
is no HTTP API.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import ray

from benchmarks.waiting import wait_until
from ffrtmp_ray.cluster.actors import (
    NAMESPACE,
    RayFleet,
    RayHandle,
    create_scheduler,
    end_schedulers,
)
from ffrtmp_ray.cluster.driver import Farm
from ffrtmp_ray.cluster.ray_environment import ALWAYS, AUTH_MODE
from ffrtmp_ray.cluster.slots import Node, Slot
from ffrtmp_ray.core.model import Worker
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.store.open import migrate

UP_SECONDS = 120.0


class SmallNodes(RayFleet):
    """The one node of a cluster, as so many of one CPU."""

    def __init__(self, number: int) -> None:
        self._number = number

    def nodes(self) -> list[Node]:
        (real,) = super().nodes()
        return [
            replace(real, id=f"{place:08d}-{real.id}", cpus=1, gpus=0)
            for place in range(self._number)
        ]

    def create(self, worker: Worker, slot: Slot, settings: Settings) -> RayHandle:
        _, _, real = slot.node_id.partition("-")
        return super().create(worker, replace(slot, node_id=real), settings)


@contextmanager
def small_workers(folder: Path, root: Path, number: int) -> Iterator[tuple[Farm, list[int]]]:
    """A farm of so many workers, ready, and their processes' ids. Its files are in `folder`, and
    its jobs read and write below `root`. It keeps no chunks for other jobs."""
    os.environ.update(ALWAYS | {AUTH_MODE: "disabled"})
    settings = Settings(
        state_dir=folder / "state", input_roots=(root,), output_roots=(root,), chunk_store_bytes=0
    )
    ray.init(
        address="local",
        num_cpus=number,
        num_gpus=0,
        namespace=NAMESPACE,
        include_dashboard=False,
        log_to_driver=False,
        _temp_dir=str(folder / "ray"),
    )
    try:
        settings.state_dir.mkdir()
        migrate(settings.database_url)
        create_scheduler(settings, SmallNodes(number))
        with Farm(who="benchmark") as farm:
            wait_until(
                lambda: sum(worker.state == "ready" for worker in farm.workers()) >= number,
                f"{number} workers are up",
                seconds=UP_SECONDS,
            )
            yield farm, _worker_pids()
            end_schedulers(UP_SECONDS)
    finally:
        ray.shutdown()


def _worker_pids() -> list[int]:
    """Of the worker actors below this process, which has started Ray."""
    return [
        process.pid
        for process in psutil.Process().children(recursive=True)
        if " ".join(process.cmdline()).startswith("ray::WorkerActor")
    ]
