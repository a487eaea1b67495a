"""What the documents tell people to type and to write is what the programs take."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main

from ffrtmp_ray.media.presets import load
from ffrtmp_ray.media.spec import JobSpec, Ladder
from ffrtmp_ray.settings import Settings
from tests.support.command_line import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = ["README.md", "CONTRIBUTING.md", "docs/own-machines.md", "dashboards/README.md"]
OF_NO_SETTING = {
    "FFRTMP_ADDRESS": "of the command line: where the farm is",
    "FFRTMP_DASHBOARDS": "of Grafana's provisioning",
    "FFRTMP_TEST_MEDIA": "of the tests: a folder of real clips",
}


def text_of(document: str) -> str:
    return (ROOT / document).read_text()


def blocks(document: str, language: str) -> list[str]:
    found = re.findall(
        rf"^ *```{language}\n(.*?)^ *```", text_of(document), re.DOTALL | re.MULTILINE
    )
    return [block.replace("\\\n", " ") for block in found]


def commands() -> list[str]:
    """All of `ffrtmp`, in blocks and between words, without what a comment says of them."""
    found: list[str] = []
    for document in DOCUMENTS:
        for block in [*blocks(document, "sh"), *blocks(document, "toml")]:
            found += re.findall(r"^\W*(?:\S+: )?(?:\S+/)?ffrtmp (.+)$", block, re.MULTILINE)
        found += re.findall(r"`ffrtmp ([^`]+)`", text_of(document))
    return [re.sub(r"\s+#.*", "", command).replace("\n", " ") for command in found]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the commands name is there."""
    monkeypatch.chdir(tmp_path)
    for name in ("film.mov", "stream.toml", "good.toml", "film.toml", "jobs.jsonl"):
        (tmp_path / name).touch()


@pytest.mark.parametrize("command", commands())
@pytest.mark.usefixtures("files")
def test_a_command_has_the_arguments_that_it_is_given(command: str, tmp_path: Path) -> None:
    name, *arguments = shlex.split(command.replace("--root /srv/video", f"--root {tmp_path}"))
    known: Any = typer.main.get_command(app)
    known.commands[name].make_context(name, arguments)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_setting_that_is_named_exists(document: str) -> None:
    named = set(re.findall(r"\bFFRTMP_[A-Z_]+\b", text_of(document)))
    assert named <= {f"FFRTMP_{field}".upper() for field in Settings.model_fields} | set(
        OF_NO_SETTING
    )


@pytest.mark.parametrize("block", blocks("README.md", "toml"))
def test_every_ladder_is_one(block: str) -> None:
    Ladder.model_validate(tomllib.loads(block))


def test_every_preset_that_is_named_exists() -> None:
    for name in re.findall(r"--preset ([a-z0-9-]+)", text_of("README.md")):
        assert load(name)


def test_every_field_of_the_table_takes_its_examples() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\{.+?\})`", text_of("README.md"), re.MULTILINE)
    assert {"trim", "metadata", "watermark", "images"} <= {field for field, _ in rows}
    for field, example in rows:
        output = "/folder" if field == "images" else "/a.mp4"
        job = {"input": "/a.mov", "output": output, "preset": "web", field: json.loads(example)}
        assert getattr(JobSpec.model_validate(job), field) is not None


@pytest.mark.parametrize("document", [*DOCUMENTS, "ARCHITECTURE.md", "CHANGELOG.md"])
def test_every_file_that_is_linked_is_there(document: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text_of(document))
    for link in links:
        assert (ROOT / document).parent.joinpath(link).exists(), link


def test_the_map_names_what_there_is() -> None:
    block = text_of("ARCHITECTURE.md").split("## Rooms")[1].split("```")[1]
    named = set(re.findall(r"^ {0,2}([\w.]+)/? ", block, re.MULTILINE))
    package = ROOT / "ffrtmp_ray"
    rooms = {path.name for path in package.iterdir() if path.name[0] not in "_."}
    assert rooms - {"py.typed"} <= named
    for name in named:
        assert (package / name).exists() or (ROOT / name).exists(), name
