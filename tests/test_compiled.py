"""The engine in both forms: which one runs, and that they decide alike."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ffrtmp_ray import compiled
from ffrtmp_ray.compiled import build

CHECKOUT = Path(__file__).resolve().parents[1]
WHERE = "from ffrtmp_ray.core import dispatch, messages; print(dispatch.__file__)"
SIMULATION = """
from hashlib import sha256

from benchmarks.simulate import engine, sized
from benchmarks.simulation.farm import Farm
from benchmarks.simulation.scenarios import SCENARIOS

class Heard:
    def __init__(self, engine):
        self.engine, self.said = engine, sha256()

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def handle(self, event, now):
        outcome = self.engine.handle(event, now)
        self.said.update(repr(outcome).encode())
        return outcome

scenario = sized(SCENARIOS["failures"], 300, 12)
heard = Heard(engine(scenario))
ledger = Farm(scenario, heard, seed=7).run(lambda: None)
print(ledger.events, heard.said.hexdigest())
"""
"""Prints how many events an engine was told of, and a digest of all that it said to them."""


def python(program: str, **environment: str) -> str:
    """What a Python of its own prints that runs `program`."""
    inherited = {name: each for name, each in os.environ.items() if name != compiled.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=inherited | environment,
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_what_make_setup_has_built_is_what_runs() -> None:
    """Where this fails, the engine's sources have changed since: `make setup` compiles them."""
    runs = python(WHERE).removeprefix(str(compiled.folder()))

    assert (runs == f"/dispatch{compiled.SUFFIX}") == (build.missing() is None)


def test_the_python_form_runs_where_the_environment_asks_for_it() -> None:
    assert python(WHERE, FFRTMP_ENGINE="python") == str(compiled.SOURCES / "dispatch.py")


def test_both_forms_give_the_same_answers_to_the_same_events() -> None:
    alike = {"PYTHONHASHSEED": "0"}  # the order of sets, as they are written, depends on it

    answers = python(SIMULATION, **alike)

    assert int(answers.split()[0]) > 1000
    assert python(SIMULATION, FFRTMP_ENGINE="python", **alike) == answers


def test_what_was_built_of_other_sources_is_not_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    built = compiled.folder()
    edited = shutil.copytree(compiled.SOURCES, tmp_path / "core")
    monkeypatch.setattr(compiled, "SOURCES", edited)
    assert compiled.folder() == built

    with (edited / "dispatch.py").open("a") as source:
        source.write("# one more line\n")

    assert compiled.folder() != built


def test_without_a_compiler_the_build_says_so_and_is_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compiled, "folder", lambda: tmp_path / "not-built")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)

    build.main()

    assert "there is no C compiler" in capsys.readouterr().out


def test_sources_that_cannot_be_compiled_leave_nothing_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(compiled, "SOURCES", shutil.copytree(compiled.SOURCES, tmp_path / "core"))
    (tmp_path / "core" / "broken.py").write_text("def sum() -> int:\n    return 'text'\n")
    monkeypatch.setattr(compiled, "modules", lambda: [tmp_path / "core" / "broken.py"])

    reason = build.build(tmp_path / "built" / "engine")

    assert reason is not None
    assert "broken.py:2: error: Incompatible return value" in reason
    assert list((tmp_path / "built").iterdir()) == []
