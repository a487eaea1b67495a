"""`ffrtmp up` and `ffrtmp down`, as they are typed, on a real Ray."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

from ffrtmp_ray.cluster import processes
from ffrtmp_ray.cluster import record as records
from ffrtmp_ray.cluster.local_ports import free_port
from ffrtmp_ray.cluster.local_ray import Head, is_up, start_head, stop
from ffrtmp_ray.cluster.record import ClusterRecord

FFRTMP = Path(sys.executable).with_name("ffrtmp")
HOST = "127.0.0.1"
INTERNAL = "ServeReplica"
"""Serve's replicas take calls from each other on all addresses, and have no setting for it."""

pytestmark = pytest.mark.timeout(300)  # each start of Ray and Serve takes many CPU seconds


@dataclass(frozen=True)
class Machine:
    state_dir: Path
    port: int

    def ffrtmp(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [FFRTMP, command, "--state-dir", str(self.state_dir), *arguments],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"FFRTMP_HTTP_PORT": str(self.port)},
        )

    def up(self, *arguments: str) -> dict[str, str]:
        free = ("--ray-port", str(free_port(HOST)), "--dashboard-port", str(free_port(HOST)))
        answer = self.ffrtmp("up", "--json", "--cpus", "1", "--timeout", "200", *free, *arguments)
        assert answer.returncode == 0, answer.stderr
        addresses: dict[str, str] = json.loads(answer.stdout)
        return addresses

    def ready(self) -> httpx.Response:
        return httpx.get(f"http://{HOST}:{self.port}/ready", timeout=30)

    def record(self) -> ClusterRecord:
        record = records.read(self.state_dir)
        assert record is not None
        return record

    def end(self) -> None:
        """Whatever a failed test has left."""
        record = records.read(self.state_dir)
        if record is not None:
            stop(record, self.state_dir, grace_seconds=0)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    found = Machine(tmp_path / "state", free_port(HOST))
    yield found
    found.end()


def listening(mark: str) -> dict[str, str]:
    """Addresses that the marked processes listen on, with what listens."""
    return {
        f"{connection.laddr.ip}:{connection.laddr.port}": " ".join(process.cmdline())
        for process in processes.marked(mark)
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }


def test_up_makes_it_ready_again_changes_nothing_that_runs_and_down_ends_all(
    machine: Machine,
) -> None:
    addresses = machine.up()
    assert addresses["http"] == f"http://{HOST}:{machine.port}"
    assert machine.ready().json()["ready"]
    assert httpx.get(addresses["docs"], timeout=30).status_code == httpx.codes.OK
    head = machine.record().started
    assert head is not None

    open_to_all = [
        what
        for address, what in listening(head.mark).items()
        if not address.startswith(("127.0.0.1:", "::ffff:127.0.0.1:"))
    ]
    assert [what for what in open_to_all if INTERNAL not in what] == []

    epoch = machine.ready().json()["epoch"]
    assert machine.up() == addresses
    assert machine.record().started == head
    assert machine.ready().json()["epoch"] == epoch
    elsewhere = machine.ffrtmp("up", "--port", str(free_port(HOST)))
    assert elsewhere.returncode == 1
    assert f"is up at {addresses['http']} and does not move" in elsewhere.stderr
    assert machine.ready().json()["epoch"] == epoch, "nothing was changed"

    began = time.monotonic()
    answer = machine.ffrtmp("down", "--json")
    took = time.monotonic() - began
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["ray_ended"] is True
    assert processes.marked(head.mark) == []
    assert records.read(machine.state_dir) is None
    assert not Path(head.temp_dir).exists()
    assert took < 10, answer.stderr


def test_a_cluster_that_was_joined_runs_on_after_down(machine: Machine, tmp_path: Path) -> None:
    ray = start_head(Head(tmp_path / "ray", cpus=1, gpus=0, port=free_port(HOST)))
    try:
        machine.up("--address", ray.address)
        assert machine.ready().json()["ready"]
        assert machine.record().started is None

        answer = machine.ffrtmp("down", "--json")

        assert answer.returncode == 0, answer.stderr
        assert json.loads(answer.stdout) == {"ended": True, "ray_ended": False, "ray": ray.address}
        assert is_up(ray)
        assert records.read(machine.state_dir) is None
        with pytest.raises(httpx.HTTPError):
            machine.ready().raise_for_status()
        assert ray.started is not None
        titles = [" ".join(each.cmdline()) for each in processes.marked(ray.started.mark)]
        ours = ("ray::SchedulerActor", "ray::WorkerActor")
        assert [title for title in titles if title.startswith(ours)] == []

        port = free_port(HOST)  # Serve itself goes on, on its own port
        answer = machine.ffrtmp("up", "--address", ray.address, "--port", str(port))
        assert answer.returncode == 1
        assert f"listens on port {machine.port}, not {port}" in answer.stderr
        assert machine.ffrtmp("down").returncode == 0
    finally:
        stop(ray, tmp_path / "ray")


def test_down_where_nothing_is_up_says_so_and_succeeds(machine: Machine) -> None:
    answer = machine.ffrtmp("down")

    assert answer.returncode == 0
    assert answer.stdout == f"Nothing is up by the record of {machine.state_dir}.\n"


def test_down_cleans_up_after_a_cluster_that_is_gone(machine: Machine) -> None:
    records.write(machine.state_dir, ClusterRecord(f"{HOST}:{free_port(HOST)}"))

    answer = machine.ffrtmp("down")

    assert answer.returncode == 0
    assert "does not answer" in answer.stderr
    assert records.read(machine.state_dir) is None


def test_a_cluster_that_does_not_answer_is_not_joined(machine: Machine) -> None:
    answer = machine.ffrtmp("up", "--address", f"{HOST}:{free_port(HOST)}")

    assert answer.returncode == 1
    assert "nothing answers at" in answer.stderr
    assert records.read(machine.state_dir) is None


def test_two_that_start_the_same_farm_do_not_meet(machine: Machine) -> None:
    with records.locked(machine.state_dir):
        answer = machine.ffrtmp("up")

    assert answer.returncode == 1
    assert "another `ffrtmp up` or `down` is at work" in answer.stderr


def test_an_address_that_is_not_the_machines_is_named_before_ray_is_started(
    machine: Machine,
) -> None:
    answer = machine.ffrtmp("up", "--port", "1", "--host", "203.0.113.7")
    assert answer.returncode == 1
    assert "this machine has no address 203.0.113.7" in answer.stderr
    assert records.read(machine.state_dir) is None


def test_a_setting_with_a_wrong_value_is_named(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FFRTMP_PLAN_SLOTS", "none")

    answer = machine.ffrtmp("up")

    assert answer.returncode == 1
    assert "error: setting FFRTMP_PLAN_SLOTS: " in answer.stderr
