"""The environment variables by which Ray works as we need it, each with its reason.

Two sets: that of a head and all that it starts, and that of a process that connects to one. Ray
reads them when it is imported, so nothing here imports Ray.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from ffrtmp_ray.cluster.record import ClusterRecord, Ports, is_loopback
from ffrtmp_ray.errors import MachineError

MARK = "FFRTMP_CLUSTER_MARK"
"""Holds `LocalRay.mark`."""

SERVE: Mapping[str, str] = {
    "RAY_SERVE_ENABLE_HA_PROXY": "1",
    # How long a replica and a proxy that are to go still take requests, so that load balancers
    # hear of it. HAProxy is told at once; the default of 30 s would make `ffrtmp down` as slow.
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "0.2",
    "RAY_SERVE_PROXY_MIN_DRAINING_PERIOD_S": "0.2",
    # A dead HAProxy is replaced after three of these, and nobody is answered until then.
    "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "1",
    # How often Serve looks whether all is as it should be. At its default of 0.1 s that alone took
    # 3.3 % of a CPU on a farm with nothing to do, more than anything else.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
    # How often proxy and replica hand on what they have counted; not ten times a second.
    "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "5000",
}

IDLE: Mapping[str, str] = {
    # What a farm with nothing to do costs is taken from its encodes, too. No node or worker is
    # noticed to be gone by any of these: `SYSTEM_CONFIG` and our own polls do that.
    #
    # Every process sends its metrics so often; they are to be seen within ten seconds.
    "RAY_metrics_report_interval_ms": "5000",
    # The same for Ray's own list of calls, which nothing of ours reads.
    "RAY_task_events_report_interval_ms": "10000",
    # Ray times everything that its event loops do, for a file that developers of Ray read: that
    # alone was a fifth of what its idle processes took.
    "RAY_event_stats": "0",
    "RAY_emit_main_service_metrics": "0",
    "RAY_io_context_monitor_probe_interval_ms": "10000",
    "RAY_io_context_event_loop_lag_collection_interval_ms": "10000",
    # How often Ray's agent on each node looks at all processes there.
    "REPORTER_UPDATE_INTERVAL_MS": "10000",
}

ALWAYS: Mapping[str, str] = {
    **SERVE,
    **IDLE,
    "RAY_USAGE_STATS_ENABLED": "0",
    # A head that is away for longer than a minute must not end its workers and their encodes.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "600",
    # A call to an actor that has died fails one second later by default, in case there is more to
    # be said of its death: whoever waits for a scheduler that is started again asks sooner.
    "RAY_timeout_ms_task_wait_for_death_info": "100",
    # Ray gives its workers niceness 15. All that is ours is wanted as much as any other program
    # here; ffmpeg alone steps back a little, behind the scheduler.
    "RAY_worker_niceness": "0",
    # Ray names its processes by writing over their environment, where `MARK` is.
    "SPT_NOENV": "1",
}

LOOPBACK: Mapping[str, str] = {
    # Ray's way on laptops: the node's address is 127.0.0.1, and no socket listens elsewhere.
    # Without it, Ray turns 127.0.0.1 into the machine's outer address.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
}

AUTH_MODE = "RAY_AUTH_MODE"
"""Said to all in any case: unset, a token file that happens to lie in the home folder would switch
authentication on for the head and not for those that join it."""

SYSTEM_CONFIG: Mapping[str, int] = {
    # A node that dies without a word is noticed after 2.5 s, in place of 15.
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}


def head_environment(
    mark: str, temp_dir: Path, ports: Ports, *, loopback: bool, haproxy: Path
) -> dict[str, str]:
    """The whole environment of `ray start --head`."""
    sockets = temp_dir / "h"  # short: a socket's path has at most 107 bytes
    settings = {
        **ALWAYS,
        **(LOOPBACK if loopback else {}),
        MARK: mark,
        # What its processes leave in the folder for temporary files goes with its own folder.
        "TMPDIR": str(temp_dir / "tmp"),
        AUTH_MODE: os.environ.get(AUTH_MODE, "disabled"),
        "AUTOSCALER_METRIC_PORT": str(ports.autoscaler_metrics),
        "DASHBOARD_METRIC_PORT": str(ports.dashboard_metrics),
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(ports.fallback),
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(haproxy),
        "RAY_SERVE_HAPROXY_METRICS_PORT": str(ports.haproxy_metrics),
        "RAY_SERVE_HAPROXY_STATS_PORT": str(ports.haproxy_stats),
        # Its admin socket takes orders from whoever reaches it: into a folder that is ours alone.
        "RAY_SERVE_HAPROXY_CONFIG_FILE_LOC": str(sockets / "haproxy.cfg"),
        "RAY_SERVE_HAPROXY_SOCKET_PATH": str(sockets / "admin.sock"),
        "RAY_SERVE_HAPROXY_METRICS_SOCKET_PATH": str(sockets / "metrics.sock"),
        "RAY_SERVE_HAPROXY_SERVER_STATE_BASE": str(sockets),
        "RAY_SERVE_HAPROXY_SERVER_STATE_FILE": str(sockets / "server-state"),
    }
    # An address in the caller's environment names another cluster than the one to be started.
    inherited = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    return inherited | settings


def enter(record: ClusterRecord) -> None:
    """Fit this process to the cluster of `record`, before it connects and best before it imports
    Ray. A variable that is set already keeps its value."""
    wanted = {**SERVE, "RAY_USAGE_STATS_ENABLED": "0"}
    if record.started is not None:
        wanted[AUTH_MODE] = "disabled"
    loopback = record.loopback or only_on_loopback(record.address)
    if loopback:
        wanted |= LOOPBACK
    for name, value in wanted.items():
        os.environ.setdefault(name, value)
    constants = sys.modules.get("ray._private.ray_constants")
    if loopback and constants is not None:
        # A driver script that has imported Ray before us: what Ray has read, it has read.
        vars(constants)["ENABLE_RAY_CLUSTER"] = False


def only_on_loopback(address: str) -> bool:
    """Whether the Ray at `address` is one that the network does not reach.

    Ray turns 127.0.0.1 into the machine's outer address unless it is told not to, and waits there
    for minutes in vain if the cluster is not to be found by it.
    """
    host, port = host_and_port(address)
    return is_loopback(host) and not answers(_outer_address(), port)


def running_address() -> str:
    """What Ray takes `auto` for: RAY_ADDRESS, else the last `ray start` on this machine.

    Raises MachineError when there is neither.
    """
    note = Path(os.environ.get("RAY_TMPDIR", "/tmp")) / "ray" / "ray_current_cluster"  # noqa: S108 - Ray's own place
    named = os.environ.get("RAY_ADDRESS")
    try:
        return named or note.read_text().strip()
    except OSError as error:
        raise MachineError(
            "no Ray is known on this machine",
            remedy="give the address that `ray start` has printed, or none to start one",
        ) from error


def host_and_port(address: str) -> tuple[str, int]:
    """The parts of Ray's address. Raises MachineError for what is none."""
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise MachineError(
            f"{address!r} is no address of Ray", remedy="give HOST:PORT, as `ray start` has printed"
        )
    return host, int(port)


def answers(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def _outer_address() -> str:
    """The one that Ray would take: from which the internet would be reached. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("8.8.8.8", 80))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
