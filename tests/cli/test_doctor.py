"""`ffrtmp doctor` names what is missing, says how to get it, and fails only for what is needed."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ffrtmp_ray.cli import machine_checks
from ffrtmp_ray.cli.machine_checks import GIB, Level
from ffrtmp_ray.cluster import record as records
from ffrtmp_ray.cluster.local_ports import free_port
from ffrtmp_ray.cluster.record import ClusterRecord
from ffrtmp_ray.settings import Settings
from tests.support.command_line import app


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A free port, which the settings name for the HTTP API."""
    found = free_port("127.0.0.1")
    monkeypatch.setenv("FFRTMP_HTTP_PORT", str(found))
    return found


@pytest.fixture
def taken(port: int) -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", port))
        server.listen()
        yield port


def doctor(state_dir: Path, *arguments: str) -> tuple[int, str]:
    answer = CliRunner().invoke(app, ["doctor", "--state-dir", str(state_dir), *arguments])
    return answer.exit_code, answer.stdout


def levels(text: str) -> dict[str, str]:
    return {each["name"]: each["level"] for each in json.loads(text)["findings"]}


@pytest.mark.usefixtures("port")
def test_on_a_machine_that_has_all_the_exit_code_is_zero_and_every_encoder_was_tried(
    tmp_path: Path,
) -> None:
    code, text = doctor(tmp_path, "--json")

    assert code == 0
    found = {each["name"]: each["found"] for each in json.loads(text)["findings"]}
    assert "libx264" in found["encoders"]
    assert "libsvtav1" in found["encoders"]
    assert levels(text)["ffmpeg"] == Level.OK
    assert levels(text)["farm"] == Level.NOTE


def test_a_port_in_use_is_missing_and_fails(tmp_path: Path, taken: int) -> None:
    code, text = doctor(tmp_path)

    assert code == 1
    assert f"{taken} of 127.0.0.1 is in use" in text
    assert "FFRTMP_HTTP_PORT" in text
    assert "Something needed is missing." in text


@pytest.mark.usefixtures("port")
def test_an_ffmpeg_that_does_not_run_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FFRTMP_FFMPEG", "/bin/false")

    code, text = doctor(tmp_path)

    assert code == 1
    assert "/bin/false: this program is no ffmpeg" in text
    assert "set FFRTMP_FFMPEG to an ffmpeg program" in text


async def test_an_encoder_that_refuses_its_trial_is_told_with_the_reason(tmp_path: Path) -> None:
    lame = tmp_path / "ffmpeg"
    lame.write_text("#!/bin/sh\necho '[error] Unknown encoder' >&2\nexit 1\n")
    lame.chmod(0o755)

    found = await machine_checks.encoders(str(lame))

    assert found[0].level is Level.MISSING
    by_name = {each.name: each for each in found[1:]}
    assert by_name["encoder libx264"].level is Level.NOTE
    assert by_name["encoder libx264"].found


def test_a_program_that_is_not_on_the_path_is_missing_with_its_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")

    found = {each.name: each for each in machine_checks.programs()}

    assert found["setpriv"].level is Level.MISSING
    assert "apt-get install util-linux" in str(found["setpriv"].remedy)


def test_little_memory_and_little_room_are_noted_and_no_hindrance(tmp_path: Path) -> None:
    assert machine_checks.memory(2 * GIB).level is Level.NOTE
    assert machine_checks.memory(8 * GIB).level is Level.OK
    assert machine_checks.disk(tmp_path / "not-yet", needed=1 << 60).level is Level.NOTE
    assert machine_checks.disk(tmp_path / "not-yet", needed=1).level is Level.OK


def test_an_old_sqlite_is_missing() -> None:
    assert machine_checks.sqlite((3, 34, 1)).level is Level.MISSING


def test_a_farm_that_is_dead_is_told_from_one_that_is_up(tmp_path: Path, taken: int) -> None:
    settings = Settings(state_dir=tmp_path)
    records.write(tmp_path, ClusterRecord(f"127.0.0.1:{taken}", http="http://127.0.0.1:1"))
    (up,) = machine_checks.cluster(settings)
    assert up.found == "up at http://127.0.0.1:1"

    records.write(tmp_path, ClusterRecord(f"127.0.0.1:{free_port('127.0.0.1')}"))
    dead, _port = machine_checks.cluster(settings)
    assert "is dead" in dead.found


def test_a_broken_record_is_missing_and_named(tmp_path: Path) -> None:
    (tmp_path / records.FILE).write_text("{}")

    (found,) = machine_checks.cluster(Settings(state_dir=tmp_path))

    assert found.level is Level.MISSING
    assert "no record" in found.found


def test_it_says_where_jobs_may_read_and_write() -> None:
    settings = Settings(
        input_roots=("/srv/in", "s3://footage"),
        output_roots=("gs://films/web",),
        private_hosts=("nas.local",),
    )
    assert machine_checks.places(settings).found == (
        "from /srv/in, s3://footage and http(s), to gs://films/web; private hosts: nas.local"
    )
