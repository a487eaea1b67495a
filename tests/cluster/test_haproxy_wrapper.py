"""HAProxy by the wrapper, with the very configuration that Ray Serve writes for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest
from ray.serve._private.haproxy import BackendConfig, HAProxyApi, HAProxyConfig, ServerConfig
from ray.serve.config import HTTPOptions

from ffrtmp_ray.client import Client
from ffrtmp_ray.cluster.haproxy_wrapper import write_wrapper
from ffrtmp_ray.errors import Unavailable
from tests.cluster.farms import until

PARENT = """
import subprocess, sys
process = subprocess.Popen(sys.argv[1:])
print(process.pid, flush=True)
process.wait()
"""


@dataclass(frozen=True)
class Running:
    base: str
    parent: subprocess.Popen[str]
    haproxy: psutil.Process
    sides: set[int]
    """The ports of statistics and metrics."""


@pytest.fixture(params=["no application", "an application without a replica"])
def running(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    unused_tcp_port_factory: Callable[[], int],
) -> Iterator[Running]:
    http, nobody, stats, metrics = (unused_tcp_port_factory() for _ in range(4))
    config = HAProxyConfig(
        http_options=HTTPOptions(host="127.0.0.1", port=http),
        stats_port=stats,
        metrics_port=metrics,
        socket_path=str(tmp_path / "admin.sock"),
        metrics_socket_path=str(tmp_path / "metrics.sock"),
        server_state_base=str(tmp_path),
        server_state_file=str(tmp_path / "server-state"),
    )
    application = BackendConfig(
        name="api", path_prefix="/", servers=[ServerConfig("replica", "127.0.0.1", nobody)]
    )
    backends = {} if request.param == "no application" else {"api": application}
    api = HAProxyApi(config, backends, str(tmp_path / "haproxy.cfg"))
    api._generate_config_file_internal()
    command = [str(write_wrapper(tmp_path)), "-db", "-f", api.config_file_path]
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, *command], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        haproxy = psutil.Process(int(parent.stdout.readline()))
        yield Running(f"http://127.0.0.1:{http}", parent, haproxy, {stats, metrics})
        parent.kill()


def test_nobody_behind_it_is_a_problem_that_says_try_again(running: Running) -> None:
    until(lambda: running.haproxy.net_connections("tcp"))

    answer = httpx.get(f"{running.base}/jobs")

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["status"] == 503
    with Client(running.base) as client, pytest.raises(Unavailable, match="look before you ask"):
        client.workers()


def test_only_what_is_asked_for_listens_and_on_loopback_alone(running: Running) -> None:
    listening = until(lambda: running.haproxy.net_connections("tcp"))

    assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}
    assert running.sides < {connection.laddr.port for connection in listening}


def test_it_ends_with_the_process_that_started_it(running: Running) -> None:
    until(lambda: running.haproxy.name() == "haproxy")

    running.parent.kill()

    running.haproxy.wait(timeout=5)
