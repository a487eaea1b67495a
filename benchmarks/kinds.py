"""On which kinds of its processes a farm spends CPU time."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import psutil

from ffrtmp_ray.cluster import processes, record

_PROBER = "ffrtmp_ray.media.probe.child"
_SERVE = ("ServeController", "ServeReplica", "ProxyActor", "HAProxyManager")


class Kind(StrEnum):
    FFMPEG = "ffmpeg"
    """All that has ended below a worker, so a child that examines files, too, when it is replaced
    by a new one."""
    PROBER = "prober"
    """The processes that examine files."""
    WORKER = "worker"
    SCHEDULER = "scheduler"
    HTTP = "http"
    """Serve: the replica that answers, its controller, its proxies."""
    RAY = "ray"
    """All else: GCS, raylet, the dashboard and the agents of the node."""


def kind_of(command: str) -> Kind:
    """Of a process, by its command line."""
    if _PROBER in command:
        return Kind.PROBER
    if command.startswith("ray::WorkerActor"):
        return Kind.WORKER
    if command.startswith("ray::SchedulerActor"):
        return Kind.SCHEDULER
    program = command.partition(" ")[0].rpartition("/")[2]
    if program.startswith("haproxy") or any(command.startswith(f"ray::{each}") for each in _SERVE):
        return Kind.HTTP
    return Kind.FFMPEG if program.startswith("ffmpeg") else Kind.RAY


def seconds_by_kind(folder: Path) -> Mapping[Kind, float]:
    """CPU time of all processes of the farm whose state is below `folder`, those that have ended
    among them."""
    running = record.read(folder / "state")
    assert running is not None and running.started is not None  # noqa: S101, PT018 - it is up
    head = running.started
    spent: Counter[Kind] = Counter()
    for process in processes.of_head(head.mark, head.pid, head.created):
        with contextlib.suppress(psutil.NoSuchProcess):
            kind, times = kind_of(" ".join(process.cmdline())), process.cpu_times()
            ended = Kind.FFMPEG if kind is Kind.WORKER else kind
            spent[kind] += times.user + times.system
            spent[ended] += times.children_user + times.children_system
    return spent
