"""A Ray head on this machine: started out of the network's reach, ended alone and whole."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from ffrtmp_ray.cluster import local_ray, processes
from ffrtmp_ray.cluster import record as records
from ffrtmp_ray.cluster.local_ports import free_port
from ffrtmp_ray.cluster.local_ray import Head, is_up, start_head, stop
from ffrtmp_ray.cluster.record import ClusterRecord, LocalRay
from ffrtmp_ray.errors import MachineError


def a_head(state_dir: Path) -> ClusterRecord:
    """On ports of its own, so that it meets no other cluster."""
    host = "127.0.0.1"
    return start_head(
        Head(state_dir, host, cpus=1, gpus=0, port=free_port(host), dashboard_port=free_port(host))
    )


def started(record: ClusterRecord) -> LocalRay:
    assert record.started is not None
    return record.started


def living(record: ClusterRecord) -> list[psutil.Process]:
    return processes.marked(started(record).mark)


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ClusterRecord]]:
    """Two heads on one machine, started at the same time, the first of which no test may end."""
    folders = [tmp_path_factory.mktemp(name) for name in ("bystander", "other")]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(a_head, folders))
    yield found
    for record, folder in zip(found, folders, strict=True):
        stop(record, folder)
        assert living(record) == []
        assert not Path(started(record).temp_dir).exists()


def folder_of(record: ClusterRecord) -> Path:
    return Path(started(record).log).parent


@pytest.fixture
def bystander(heads: list[ClusterRecord]) -> ClusterRecord:
    return heads[0]


def test_a_head_is_recorded_where_the_next_command_finds_it(bystander: ClusterRecord) -> None:
    assert records.read(folder_of(bystander)) == bystander
    assert is_up(bystander)
    assert bystander.loopback


def test_no_socket_of_a_loopback_head_is_reachable_from_the_network(
    bystander: ClusterRecord,
) -> None:
    listening = [
        connection.laddr
        for process in living(bystander)
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) > 5
    assert {address.ip for address in listening} <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert started(bystander).ports.ray in {address.port for address in listening}


def test_every_process_of_a_head_bears_its_mark(bystander: ClusterRecord) -> None:
    tree = psutil.Process(started(bystander).pid).children(recursive=True)
    assert {process.pid for process in tree} <= {process.pid for process in living(bystander)}


def test_what_a_killed_head_leaves_is_found_and_ended_and_nothing_of_another_head(
    heads: list[ClusterRecord], bystander: ClusterRecord
) -> None:
    record = heads[1]
    root = psutil.Process(started(record).pid)
    root.kill()
    psutil.wait_procs([root], timeout=10)
    assert living(record), "its children are to outlive it, else this shows nothing"
    assert not is_up(record)
    others = {process.pid for process in living(bystander)}

    stop(record, folder_of(record))

    assert living(record) == []
    assert not Path(started(record).temp_dir).exists()
    assert records.read(folder_of(record)) is None
    assert is_up(bystander)
    assert others <= {process.pid for process in living(bystander)}


def test_a_stale_record_of_a_process_id_that_has_a_new_owner_ends_nothing(tmp_path: Path) -> None:
    me = psutil.Process()
    ports = local_ray.local_ports.choose("127.0.0.1")
    stale = LocalRay(
        "no-such-mark", me.pid, me.create_time() - 3600, str(tmp_path / "t"), "log", ports
    )
    record = ClusterRecord("127.0.0.1:1", started=stale)

    stop(record, tmp_path)

    assert me.is_running()
    assert not is_up(record)


def test_a_port_in_use_is_refused_before_ray_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(MachineError, match=f"port {port} of 127.0.0.1 is in use"):
            start_head(Head(tmp_path, port=port))
    assert list(tmp_path.iterdir()) == []


def test_a_ray_that_does_not_start_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "no-such-token"))
    with pytest.raises(MachineError, match=r"Ray does not start: .*[Tt]oken"):
        start_head(Head(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == [local_ray.LOG]


def test_the_reason_is_the_last_line_that_names_an_error() -> None:
    text = (
        "2026-01-01 10:00:00,000\tINFO scripts.py:1043 -- Local node IP: 127.0.0.1\n"
        "Traceback (most recent call last):\n"
        '  File "node.py", line 1, in start\n'
        "RuntimeError: Failed to start GCS: address in use\n"
        "Remaining processes are ended.\n"
    )
    assert local_ray.why_not(text) == "RuntimeError: Failed to start GCS: address in use"
    assert local_ray.why_not("") == "it says nothing"
