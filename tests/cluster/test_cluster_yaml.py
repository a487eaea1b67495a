"""cluster.yaml is what Ray's launcher accepts, and names only what exists.

`ray up` itself needs an AWS account; here its file is checked by Ray's own means, and its commands
by what they call.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import ray
import typer
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.scripts.scripts import cli as ray_command

from ffrtmp_ray.cluster.ray_environment import ALWAYS, SYSTEM_CONFIG
from ffrtmp_ray.settings import Settings
from tests.support.command_line import app

FILE = Path(__file__).resolve().parents[2] / "cluster.yaml"
SCHEMA = Path(ray.__file__).parent / "autoscaler" / "ray-schema.json"
BASH = "/bin/bash"
OF_UP_ALONE = {"SPT_NOENV"}
"""Variables by which `ffrtmp down` finds the processes of a Ray that `ffrtmp up` started."""
COMMANDS = (
    "initialization_commands",
    "setup_commands",
    "head_setup_commands",
    "worker_setup_commands",
    "head_start_ray_commands",
    "worker_start_ray_commands",
)


@pytest.fixture
def cluster() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


def arguments(cluster: dict[str, Any], which: str, program: str) -> list[list[str]]:
    """What `program` is called with, by the commands `which`."""
    words = [
        shlex.split(part)
        for command in cluster[which]
        for part in command.split(";")
        if part.strip().startswith(program)
    ]
    return [each[len(program.split()) :] for each in words]


def parsed(command: Any, given: list[str]) -> dict[str, Any]:
    """The options as the command of click or Typer reads them; it fails for an unknown one."""
    options: dict[str, Any] = command.make_context(command.name, given).params
    return options


def test_ray_accepts_the_file_by_its_schema(cluster: dict[str, Any]) -> None:
    jsonschema.validate(cluster, json.loads(SCHEMA.read_text()))


def test_ray_accepts_the_file_as_its_launcher_prepares_it(cluster: dict[str, Any]) -> None:
    validate_config(prepare_config(cluster))


def test_the_head_takes_no_tasks(cluster: dict[str, Any]) -> None:
    head = cluster["available_node_types"][cluster["head_node_type"]]
    (start,) = arguments(cluster, "head_start_ray_commands", "ray start")

    assert head["resources"] == {"CPU": 0, "GPU": 0}
    assert head["max_workers"] == 0
    assert parsed(ray_command.commands["start"], start)["num_cpus"] == 0


def test_there_are_cpu_and_gpu_machines_within_bounds(cluster: dict[str, Any]) -> None:
    types = cluster["available_node_types"]

    assert types["gpu"]["resources"]["GPU"] == 1
    assert "GPU" not in types["cpu"]["resources"]
    assert types["cpu"]["min_workers"] >= 1, "the launcher waits for a first worker"
    for name in ("cpu", "gpu"):
        assert 0 <= types[name]["min_workers"] <= types[name]["max_workers"]
        assert types[name]["max_workers"] <= cluster["max_workers"]


@pytest.mark.parametrize("which", COMMANDS)
def test_the_shell_can_read_each_command(cluster: dict[str, Any], which: str) -> None:
    for command in cluster.get(which, ()):
        subprocess.run([BASH, "-n", "-c", command], check=True)


def test_the_head_starts_with_what_ray_needs_of_it(cluster: dict[str, Any]) -> None:
    (start,) = arguments(cluster, "head_start_ray_commands", "ray start")

    options = parsed(ray_command.commands["start"], start)

    assert options["system_config"] == SYSTEM_CONFIG
    assert options["dashboard_host"] == "127.0.0.1"
    assert options["autoscaling_config"] == "~/ray_bootstrap_config.yaml"  # the launcher's name


def test_a_worker_joins_the_head_at_its_port(cluster: dict[str, Any]) -> None:
    (head,) = arguments(cluster, "head_start_ray_commands", "ray start")
    (worker,) = arguments(cluster, "worker_start_ray_commands", "ray start")

    port = parsed(ray_command.commands["start"], head)["port"]
    address = parsed(ray_command.commands["start"], worker)["address"]

    assert address == f"$RAY_HEAD_IP:{port}"


def test_the_farm_is_put_on_the_cluster_by_options_that_exist(cluster: dict[str, Any]) -> None:
    commands: Any = typer.main.get_command(app)
    (up,) = arguments(cluster, "head_start_ray_commands", "ffrtmp up")

    options = parsed(commands.commands["up"], up)

    assert options["address"] == "auto"
    assert options["host"] == "127.0.0.1"


def test_every_shell_gets_the_settings_once_however_often_it_is_set_up(
    cluster: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = cluster["setup_commands"][0]
    bashrc = tmp_path / ".bashrc"
    bashrc.write_text("# what was there\n")
    bare = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    for _ in range(2):
        subprocess.run([BASH, "-c", write], env=bare, check=True)
    assert len(bashrc.read_text().splitlines()) == 2

    shown = subprocess.run(
        [BASH, "-c", '. "$HOME/.bashrc" && env -0'], env=bare, check=True, capture_output=True
    ).stdout.decode()
    shell = dict(line.split("=", 1) for line in shown.split("\0") if line)

    wanted = {name: value for name, value in ALWAYS.items() if name not in OF_UP_ALONE}
    assert wanted.items() <= shell.items()
    assert shell["RAY_AUTH_MODE"] == "token"
    assert shell["RAY_AUTH_TOKEN_PATH"] == f"{tmp_path}/.ray/auth_token"
    ours = {name: value for name, value in shell.items() if name.startswith("FFRTMP_")}
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    assert {f"FFRTMP_{field}".upper() for field in settings.model_fields_set} == set(ours)
    assert settings.input_roots == settings.output_roots == (Path("/srv/farm"),)
    assert settings.workspace_dir.is_relative_to("/srv/farm"), "every machine must see it"
    assert not settings.state_dir.is_relative_to("/srv/farm"), "SQLite needs a local disk"


def test_what_is_installed_is_what_is_copied(cluster: dict[str, Any]) -> None:
    copied = {Path(target) for target in cluster["file_mounts"]}
    home = Path("/home", cluster["auth"]["ssh_user"])
    installed = [
        Path(word.replace("~", str(home), 1))
        for command in cluster["setup_commands"]
        for word in command.split()
        if word.startswith("~") and word.endswith((".whl", ".txt", "auth_token"))
    ]

    assert {path.suffix for path in installed} == {".whl", ".txt", ""}
    assert all(path in copied or path.parent in copied for path in installed)
