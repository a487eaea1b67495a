"""What `ffrtmp up` leaves on a machine for `down`, for `connect()` and for the next `up`.

One small file, `<state_dir>/cluster.json`, replaced whole. Starts and ends nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ffrtmp_ray.errors import MachineError

FILE = "cluster.json"
LOCK = "cluster.lock"
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - only where the user has asked for the network


@dataclass(frozen=True, slots=True)
class Ports:
    """Every port that a head listens on at a place known beforehand."""

    ray: int
    dashboard: int
    metrics: int
    """Ray's Prometheus export."""
    agent: int
    client: int
    """Ray's own remote client; nothing of ours uses it, but Ray always starts it."""
    autoscaler_metrics: int
    dashboard_metrics: int
    fallback: int
    """Serve's second way to its replicas, behind HAProxy."""
    haproxy_metrics: int
    haproxy_stats: int


@dataclass(frozen=True, slots=True)
class LocalRay:
    """A Ray head that we have started on this machine."""

    mark: str
    """In the environment of each of its processes, and of no other: names them for `stop`."""
    pid: int
    """Of `ray start`."""
    created: float
    """When that process was created (seconds since 1970), since process ids come again."""
    temp_dir: str
    """Made for it, and removed with it."""
    log: str
    ports: Ports


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    address: str
    """Of Ray: `host:port`."""
    http: str | None = None
    """Base URL of the REST API; None until it has been up."""
    dashboard: str | None = None
    metrics: str | None = None
    """URL of Ray's Prometheus export, where it is known."""
    started: LocalRay | None = field(default=None)
    """None when we have only joined the cluster."""

    @property
    def loopback(self) -> bool:
        """Whether it is one that we have started out of the network's reach."""
        return self.started is not None and is_loopback(self.address.rpartition(":")[0])


def is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def http_base(host: str, port: int) -> str:
    """The base URL, on this machine, of an API that listens on `host`."""
    return f"http://{'127.0.0.1' if host == EVERY_ADDRESS else host}:{port}"


def read(state_dir: Path) -> ClusterRecord | None:
    """The record of `state_dir`, or None. Raises MachineError for a file that is none."""
    path = state_dir / FILE
    try:
        text = path.read_text()
    except FileNotFoundError:
        return None
    try:
        return _from_json(json.loads(text))
    except (ValueError, TypeError, KeyError) as error:
        raise MachineError(
            f"it is no record of a cluster ({error})",
            where=str(path),
            remedy="end the cluster's processes by hand, then remove the file",
        ) from error


def write(state_dir: Path, record: ClusterRecord) -> None:
    """Replace the record; on disk when it returns."""
    state_dir.mkdir(parents=True, exist_ok=True)
    path = state_dir / FILE
    new = path.with_suffix(".new")
    with new.open("w") as file:
        json.dump(asdict(record), file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _sync_folder(state_dir)


def remove(state_dir: Path) -> None:
    (state_dir / FILE).unlink(missing_ok=True)


@contextlib.contextmanager
def locked(state_dir: Path) -> Iterator[None]:
    """Hold the right to start and end the cluster of `state_dir`.

    Raises MachineError at once when another process holds it.
    """
    state_dir.mkdir(parents=True, exist_ok=True)
    with (state_dir / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MachineError(
                "another `ffrtmp up` or `down` is at work",
                where=str(state_dir),
                remedy="wait until it has ended",
            ) from None
        yield


def _from_json(values: dict[str, Any]) -> ClusterRecord:
    started = values.pop("started")
    if started is not None:
        started = LocalRay(**{**started, "ports": Ports(**started["ports"])})
    return ClusterRecord(**values, started=started)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
