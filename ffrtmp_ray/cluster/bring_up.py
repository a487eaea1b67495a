"""The farm of one machine, from nothing to ready and back: Ray, and what runs on it.

Imports Ray only when it is to be used, since Ray reads its environment when it is imported, and
that has to be fitted to the cluster first.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ffrtmp_ray.cluster import local_ports, local_ray, ray_environment
from ffrtmp_ray.cluster import record as records
from ffrtmp_ray.cluster.local_ray import Head
from ffrtmp_ray.cluster.record import ClusterRecord
from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.settings import Settings

READY_SECONDS = 90.0
WITHDRAW_SECONDS = 4.0
"""For a cluster of our own: what has not ended by then goes with its processes. With the time that
Ray is given to stop, `ffrtmp down` stays under 10 s."""
WITHDRAW_JOINED_SECONDS = 30.0

Say = Callable[[str], None]


def bring_up(
    settings: Settings,
    head: Head,
    *,
    join: str | None = None,
    timeout_seconds: float = READY_SECONDS,
    say: Say,
) -> ClusterRecord:
    """Start Ray by `head` unless it runs already, or `join` (an address, or `auto`) a cluster;
    then put the system on it, or a new version in the old one's place. Returns when it takes jobs.

    Raises MachineError. A Ray that was started here is ended again when the rest fails.
    """
    with records.locked(settings.state_dir):
        record = _running(settings, join, say)
        fresh = record is None
        if record is None:
            record = _joined(join) if join else _started(settings, head, say)
        try:
            return _deploy(settings, record, timeout_seconds, say)
        except BaseException:
            if fresh and record.started:
                say("it did not come up: ending Ray again")
                local_ray.stop(record, settings.state_dir)
            raise


def take_down(state_dir: Path, say: Say) -> ClusterRecord | None:
    """Take the system off its cluster and end Ray, if it was started by `bring_up`. Gives what was
    taken down, None when there was nothing.

    Parts that are dead already are no hindrance. Raises MachineError when something does not go.
    """
    with records.locked(state_dir):
        record = records.read(state_dir)
        if record is None:
            return None
        if not local_ray.is_up(record):
            say(f"Ray at {record.address} does not answer: cleaning up what is left")
        elif not _withdraw(state_dir, record):
            if record.started is None:
                raise MachineError(
                    f"what runs on the cluster at {record.address} could not be ended",
                    remedy="see above; then run `ffrtmp down` again",
                )
            say("what ran on Ray did not end in time: it ends with Ray")
        if record.started is not None:
            say("stopping Ray")
        local_ray.stop(record, state_dir)
        return record


def _running(settings: Settings, join: str | None, say: Say) -> ClusterRecord | None:
    """The cluster that the state folder has already, if it lives."""
    record = records.read(settings.state_dir)
    if record is None:
        return None
    if not local_ray.is_up(record):
        say(f"Ray at {record.address} is dead: cleaning up what is left of it")
        local_ray.stop(record, settings.state_dir)
        return None
    if join not in (None, "auto", record.address):
        raise MachineError(
            f"{settings.state_dir} is in use for the cluster at {record.address}",
            remedy="run `ffrtmp down` first, or name another --state-dir",
        )
    wanted = records.http_base(settings.http_host, settings.http_port)
    if record.http not in (None, wanted):
        raise MachineError(
            f"the farm is up at {record.http} and does not move to {wanted} while it is",
            remedy="give the --host and --port that it has, or run `ffrtmp down` first",
        )
    say(f"Ray runs already, at {record.address}; its CPUs, GPUs and ports stay as they are")
    return record


def _started(settings: Settings, head: Head, say: Say) -> ClusterRecord:
    if not local_ports.is_free(settings.http_host, settings.http_port):
        raise MachineError(
            f"port {settings.http_port} of {settings.http_host} is in use",
            remedy="name another one for the HTTP API with --port",
        )
    say("starting Ray")
    return local_ray.start_head(replace(head, reserved=head.reserved | {settings.http_port}))


def _joined(address: str) -> ClusterRecord:
    if address == "auto":
        address = ray_environment.running_address()
    record = ClusterRecord(address)
    if not local_ray.is_up(record):
        raise MachineError(
            f"nothing answers at {address}", remedy="give the address that `ray start` has printed"
        )
    return record


def _deploy(
    settings: Settings, record: ClusterRecord, timeout_seconds: float, say: Say
) -> ClusterRecord:
    """Written before anything is put there, so that `take_down` finds it whatever happens."""
    ray_environment.enter(record)
    from ffrtmp_ray.cluster.deploy import deploy  # Ray reads its environment when imported

    deployed = deploy(
        settings,
        ray_address=record.address,
        timeout_seconds=timeout_seconds,
        claim=lambda: records.write(settings.state_dir, record),
        say=say,
    )
    record = replace(
        record,
        address=record.address if record.started else deployed.address,
        http=deployed.http,
        dashboard=deployed.dashboard or record.dashboard,
    )
    records.write(settings.state_dir, record)
    return record


def _withdraw(state_dir: Path, record: ClusterRecord) -> bool:
    """Whether all of ours has ended. In a process of its own: a Ray that half answers can hold
    whoever calls it for minutes."""
    seconds = WITHDRAW_JOINED_SECONDS if record.started is None else WITHDRAW_SECONDS
    command = [sys.executable, "-m", "ffrtmp_ray.cluster.withdrawal", str(state_dir)]
    try:
        return subprocess.run(command, timeout=seconds, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
