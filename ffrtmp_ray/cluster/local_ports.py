"""Ports for a Ray head and what comes with it, so that several can live on one machine.

Looks and chooses; holds nothing open.
"""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Iterable

from ffrtmp_ray.cluster.record import Ports
from ffrtmp_ray.errors import MachineError

FREE_RANGE = range(20000, 30000)
"""Where free ports are looked for: above those that Ray gives to its workers by default (10002 to
19999), below those of Serve's replicas (from 30000) and of outgoing connections (from 32768)."""

CUSTOMARY_RAY = 6379
CUSTOMARY_DASHBOARD = 8265


def choose(
    host: str, *, ray: int | None = None, dashboard: int | None = None, taken: Iterable[int] = ()
) -> Ports:
    """Ports for a head on `host`. Without a wish, Ray's customary ones where they are free.

    `taken` are never given. Raises MachineError when a port that was asked for is in use.
    """
    used = set(taken)

    def give(wish: int | None, customary: int | None) -> int:
        if wish is not None and not is_free(host, wish):
            raise MachineError(
                f"port {wish} of {host} is in use",
                remedy="name another port, or none to get a free one",
            )
        port = wish or _customary_or_free(host, customary, used)
        used.add(port)
        return port

    return Ports(
        ray=give(ray, CUSTOMARY_RAY),
        dashboard=give(dashboard, CUSTOMARY_DASHBOARD),
        metrics=give(None, None),
        agent=give(None, None),
        client=give(None, None),
        autoscaler_metrics=give(None, None),
        dashboard_metrics=give(None, None),
        fallback=give(None, None),
        haproxy_metrics=give(None, None),
        haproxy_stats=give(None, None),
    )


def free_port(host: str, taken: Iterable[int] = ()) -> int:
    """A port of `FREE_RANGE` on which nothing listens. Raises MachineError when there is none."""
    taken = set(taken)
    candidates = [port for port in FREE_RANGE if port not in taken]
    # By chance, so that two clusters that start at the same time do not choose the same ones.
    for port in random.SystemRandom().sample(candidates, len(candidates)):
        if is_free(host, port):
            return port
    raise MachineError(f"no port between {FREE_RANGE.start} and {FREE_RANGE.stop} is free")


def is_free(host: str, port: int) -> bool:
    """Whether a server on `host` could take the port now, also if others take it on all addresses.

    Raises MachineError when the machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for address in {host, "::" if family == socket.AF_INET6 else "0.0.0.0"}:  # noqa: S104 - tried, not served
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                probe.listen()
            except OSError as error:
                if error.errno in (errno.EADDRNOTAVAIL, errno.EINVAL):
                    raise MachineError(
                        f"this machine has no address {address}",
                        remedy="name one that `hostname -I` lists, or 0.0.0.0 for all",
                    ) from error
                return False
    return True


def _customary_or_free(host: str, customary: int | None, used: set[int]) -> int:
    if customary is not None and customary not in used and is_free(host, customary):
        return customary
    return free_port(host, used)
