"""Starts a Ray head on this machine and ends it again: that one, by its processes, and no other.

Knows nothing of what runs on Ray. `ray stop` would end every Ray on the machine.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import psutil

from ffrtmp_ray.cluster import local_ports, processes, ray_environment
from ffrtmp_ray.cluster.haproxy_wrapper import write_wrapper
from ffrtmp_ray.cluster.ray_environment import SYSTEM_CONFIG, head_environment
from ffrtmp_ray.cluster.record import EVERY_ADDRESS, ClusterRecord, LocalRay, Ports, is_loopback
from ffrtmp_ray.cluster.record import remove as remove_record
from ffrtmp_ray.cluster.record import write as write_record
from ffrtmp_ray.errors import MachineError

OBJECT_STORE_BYTES = 256 * 1024**2
"""Media goes by path, never through Ray's object store, which would else take 30 % of memory."""
START_SECONDS = 120.0
"""Takes 5 to 10 s; a machine with all its CPUs in use may need many times that."""
STOP_GRACE_SECONDS = 1.0
"""What is worth an orderly end has had it by then; for Ray, killing is as good."""
MAX_TEMPORARY_PATH = 9
"""Bytes that the path of a folder for temporary files may have. A socket's has at most 107, and
HAProxy's takes 98 below it: our folder, one named by Ray's node id of 56 digits, a process id."""
LOG = "ray.log"
STARTED = "Ray runtime started."
ANY_ADDRESS = (EVERY_ADDRESS, "::")


@dataclass(frozen=True, slots=True)
class Head:
    """What is wanted of a head."""

    state_dir: Path
    host: str = "127.0.0.1"
    """Address by which other machines reach it; a loopback one keeps every socket of it from the
    network, and 0.0.0.0 leaves the choice to Ray."""
    cpus: int | None = None
    """None: what the machine has."""
    gpus: int | None = None
    port: int | None = None
    """Of Ray; None: 6379 where it is free, else any free one."""
    dashboard_port: int | None = None
    """None: 8265 where it is free, else any free one."""
    reserved: frozenset[int] = frozenset()
    """Ports that are not to be taken: the HTTP API's."""
    timeout_seconds: float = START_SECONDS


def start_head(wanted: Head) -> ClusterRecord:
    """Start a head that outlives this process; return when it takes connections.

    It is written to `<state_dir>/cluster.json` from its first moment, so that `stop` finds it
    whatever becomes of the caller. Raises MachineError with the line that says why when Ray does
    not start; nothing is left of it then.
    """
    wanted.state_dir.mkdir(parents=True, exist_ok=True)
    ports = local_ports.choose(
        wanted.host, ray=wanted.port, dashboard=wanted.dashboard_port, taken=wanted.reserved
    )
    # Not below state_dir, whose path may be too long for a socket's.
    temp_dir = Path(tempfile.mkdtemp(prefix="ffrtmp-", dir=temporary_folder()))
    (temp_dir / "tmp").mkdir()
    log = wanted.state_dir / LOG
    mark = uuid.uuid4().hex
    process = _launch(wanted, ports, temp_dir, log, mark)
    created = psutil.Process(process.pid).create_time()
    started = LocalRay(mark, process.pid, created, str(temp_dir), str(log), ports)
    host = "127.0.0.1" if is_loopback(wanted.host) else wanted.host
    record = ClusterRecord(f"{host}:{ports.ray}", started=started)
    write_record(wanted.state_dir, record)
    try:
        address = _wait_until_started(process, log, wanted.timeout_seconds)
    except BaseException:
        stop(record, wanted.state_dir, grace_seconds=0)
        process.wait()
        raise
    record = ClusterRecord(
        address=f"{address}:{ports.ray}",
        dashboard=f"http://127.0.0.1:{ports.dashboard}",
        metrics=f"http://{address}:{ports.metrics}/metrics",
        started=started,
    )
    write_record(wanted.state_dir, record)
    return record


def stop(
    record: ClusterRecord, state_dir: Path, *, grace_seconds: float = STOP_GRACE_SECONDS
) -> None:
    """End the head of `record`, with all that it has started, and remove its files.

    Works as well when parts of it are dead already. Raises MachineError, and keeps the record,
    when a process does not go.
    """
    head = record.started
    if head is not None:
        left = processes.end(
            lambda: processes.of_head(head.mark, head.pid, head.created), head.pid, grace_seconds
        )
        if left:
            ids = ", ".join(str(process.pid) for process in left)
            raise MachineError(
                f"processes {ids} of Ray do not go away",
                remedy="see what holds them (`cat /proc/<id>/stack`), then run `ffrtmp down` again",
            )
        shutil.rmtree(head.temp_dir, ignore_errors=True)
    remove_record(state_dir)


def is_up(record: ClusterRecord) -> bool:
    """Whether something answers at Ray's address, and, if we started it, whether it is that one."""
    head = record.started
    if head is not None and not processes.is_head(head.pid, head.created):
        return False
    return ray_environment.answers(*ray_environment.host_and_port(record.address))


def temporary_folder() -> Path:
    """Where a head's own folder is made: the system's for such, if its path is short enough."""
    usual = tempfile.gettempdir()
    return Path(usual if len(os.fsencode(usual)) <= MAX_TEMPORARY_PATH else "/tmp")  # noqa: S108 - mkdtemp there


def _launch(
    wanted: Head, ports: Ports, temp_dir: Path, log: Path, mark: str
) -> subprocess.Popen[bytes]:
    environment = head_environment(
        mark,
        temp_dir,
        ports,
        loopback=is_loopback(wanted.host),
        haproxy=write_wrapper(temp_dir),
    )
    with log.open("w") as output:
        return subprocess.Popen(
            _command(wanted, ports, temp_dir),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=wanted.state_dir,
            env=environment,
            start_new_session=True,  # the terminal's Ctrl-C and hang-up are not for it
        )


def _command(wanted: Head, ports: Ports, temp_dir: Path) -> list[str]:
    ray = Path(sys.executable).with_name("ray")
    if not ray.exists():
        raise MachineError("this environment has no `ray` program", where=str(ray.parent))
    options: dict[str, object] = {
        "port": ports.ray,
        "dashboard-host": "127.0.0.1",  # whoever reaches the dashboard runs code as us
        "dashboard-port": ports.dashboard,
        "metrics-export-port": ports.metrics,
        "dashboard-agent-listen-port": ports.agent,
        "ray-client-server-port": ports.client,
        "min-worker-port": 0,  # any free ones: the fixed range is one for all clusters
        "max-worker-port": 0,
        "object-store-memory": OBJECT_STORE_BYTES,
        "temp-dir": temp_dir,
        "log-color": "false",
        # It looks ten times a second for lines that actors have printed, to print them again where
        # a driver runs: ours ask for none.
        "include-log-monitor": "false",
        "system-config": json.dumps(dict(SYSTEM_CONFIG)),
    }
    if wanted.host not in ANY_ADDRESS:
        options["node-ip-address"] = wanted.host
    if wanted.cpus is not None:
        options["num-cpus"] = wanted.cpus
    if wanted.gpus is not None:
        options["num-gpus"] = wanted.gpus
    pairs = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    return [str(ray), "start", "--head", "--block", "--disable-usage-stats", *pairs]


def _wait_until_started(process: subprocess.Popen[bytes], log: Path, timeout_seconds: float) -> str:
    """The node's own address, when Ray says that it runs."""
    until = time.monotonic() + timeout_seconds
    while time.monotonic() < until:
        text = log.read_text(errors="replace")
        if STARTED in text:
            process.returncode = 0  # it lives on without us: nobody is to wait for it
            return _node_address(text)
        if process.poll() is not None:
            raise MachineError(f"Ray does not start: {why_not(text)}", where=str(log))
        time.sleep(0.05)
    raise MachineError(
        f"Ray has not started within {timeout_seconds:g} s: {why_not(log.read_text())}",
        where=str(log),
    )


def _node_address(text: str) -> str:
    found = re.search(r"Local node IP: (\S+)", text)
    if found is None:
        raise MachineError("Ray does not say its own address", remedy="look at its log")
    return found.group(1)


def why_not(text: str) -> str:
    """The line of Ray's output that says what went wrong: the last that names an error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"[Ee]rror|[Ee]xception|in use|[Ff]ailed", line)]
    chosen = (telling or lines or ["it says nothing"])[-1]
    return re.sub(r"^\S+ \S+\s+(INFO|WARNING|ERR\w*|PANIC)\s+\S+ -- ", "", chosen)[:500]
