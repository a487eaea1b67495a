"""What all commands share: logs and workers in print, JSON on stdout, errors in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable

import pytest
from fake_gateway import FakeGateway, a_worker
from served import free_port
from typer.testing import CliRunner, Result

from ffrtmp_ray.cli.main import PANELS, build
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.errors import IllegalTransition, SchedulerUnavailable
from ffrtmp_ray.views import LogView
from tests.support.command_line import app

Ffrtmp = Callable[..., Result]

SUBMIT = ("submit", "/in/a.mov", "/out/a.mp4", "--preset", "h264-720p")


# -------------------------------------------------------------------------------- logs, workers


def test_logs_are_printed_as_they_are_under_their_attempts(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    job = gateway.add()
    gateway.log_views[job.id] = [
        LogView(attempt="job-1-plan-1-1", text="[mov] probe\n"),
        LogView(attempt="job-1-encode0-1-1", text="frame=1\nframe=2\n"),
    ]

    done = ffrtmp("logs", job.id)

    assert done.stdout == (
        "==> job-1-plan-1-1 <==\n[mov] probe\n==> job-1-encode0-1-1 <==\nframe=1\nframe=2\n"
    )


def test_workers_are_listed(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    gateway.worker_views = [a_worker(gpu_sessions=8, gpu_sessions_free=5)]

    done = ffrtmp("workers")

    for part in ("worker-n1-cpu-1", "encoder-1", "4 of 8 free", "5 of 8 free", "51.5 %", "job-1"):
        assert part in done.stdout


def test_workers_are_drained_and_given_work_again(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    gateway.worker_views = [a_worker(id="w1"), a_worker(id="w2")]

    assert ffrtmp("drain", "w1", "w2").stdout == "w1 draining\nw2 draining\n"
    back = ffrtmp("undrain", "w1", "w3", "--json")

    assert back.exit_code == 1
    assert [(worker["id"], worker["state"]) for worker in json.loads(back.stdout)] == [
        ("w1", "ready")
    ]
    assert "w3: there is no such worker" in back.stderr


# ------------------------------------------------------------------------------- JSON and errors


def test_json_is_all_that_is_on_stdout(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    gateway.worker_views = [a_worker()]
    gateway.script = [{}, {"state": JobState.COMPLETED}]

    submitted = ffrtmp(*SUBMIT, "--wait", "--json")
    gateway.log_views["job-1"] = [LogView(attempt="a", text="ü\n")]

    assert json.loads(submitted.stdout)["state"] == "completed"
    assert json.loads(ffrtmp("jobs", "--json").stdout)[0]["id"] == "job-1"
    assert json.loads(ffrtmp("job", "job-1", "--json").stdout)["id"] == "job-1"
    assert json.loads(ffrtmp("logs", "job-1", "--json").stdout) == [{"attempt": "a", "text": "ü\n"}]
    assert json.loads(ffrtmp("workers", "--json").stdout)[0]["hostname"] == "encoder-1"
    assert json.loads(ffrtmp("jobs", "--owner", "nobody", "--json").stdout) == []


def test_an_error_is_one_line_with_its_remedy(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("job", "none", "--json")

    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr == "error: none: there is no job none (`ffrtmp jobs` lists them)\n"


def test_a_scheduler_that_is_away_is_one_line(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    gateway.failing = SchedulerUnavailable("the scheduler does not answer", remedy="try again")

    done = ffrtmp("jobs")

    assert (done.exit_code, done.stderr) == (
        1,
        "error: the scheduler does not answer (try again)\n",
    )


def test_a_defect_of_the_farm_is_one_line_too(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    gateway.failing = IllegalTransition("insides")

    done = ffrtmp("workers")

    assert done.exit_code == 1
    assert "its log says how" in done.stderr
    assert "insides" not in done.stderr


def test_a_farm_that_is_not_there_is_one_line_that_names_the_address() -> None:
    port = free_port()

    done = CliRunner().invoke(app, ["jobs", "--address", f"http://127.0.0.1:{port}"])

    assert done.exit_code == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"no farm answers at http://127.0.0.1:{port} (is `ffrtmp up` running?" in done.stderr


def test_the_console_script_ends_with_the_exit_code_and_without_a_traceback() -> None:
    script = "from ffrtmp_ray.cli.main import run; run()"
    arguments = ["jobs", "--address", f"http://127.0.0.1:{free_port()}"]

    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1


def test_help_names_every_command_and_each_can_answer_in_json(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("--help")

    commands = (
        "up down demo doctor workers drain undrain backup "
        "submit submit-many jobs job watch change pause resume cancel retry logs"
    )
    assert done.exit_code == 0
    for command in commands.split():
        assert f" {command} " in done.stdout
        help_of_it = ffrtmp(command, "--help")
        assert help_of_it.exit_code == 0
        assert "--json" in help_of_it.stdout


def test_the_version_is_printed(ffrtmp: Ffrtmp) -> None:
    assert ffrtmp("--version").stdout.startswith("ffrtmp 0.")


def test_a_command_loads_nothing_of_what_only_others_need() -> None:
    code = (
        "import sys; from ffrtmp_ray.cli.main import build; build('down');"
        "assert not {'httpx', 'ray', 'pynvml', 'ffrtmp_ray.client'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("only", [None, "--help", "dwn"])
def test_where_no_command_is_named_all_are_there(only: str | None) -> None:
    names = {command.callback.__name__ for command in build(only).registered_commands}
    assert names == {name.replace("-", "_") for names in PANELS.values() for name in names}
