"""`ffrtmp backup` copies the farm's database and says where to; what it may not do it says too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ffrtmp_ray.settings import Settings
from ffrtmp_ray.store.open import migrate
from tests.support.command_line import app


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """Of a farm that was up once."""
    folder = tmp_path / "state"
    migrate(Settings(state_dir=folder).database_url)
    return folder


def backup(state_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["backup", "--state-dir", str(state_dir), *arguments])


def test_the_copy_is_where_it_says(state_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    done = backup(state_dir, str(copy), "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"file": str(copy), "bytes": copy.stat().st_size}

    again = backup(state_dir, str(tmp_path / "another.db"))
    assert again.stdout.replace("\n", "").startswith("The database is copied to ")


def test_a_file_that_is_there_is_left_alone(state_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("precious")
    done = backup(state_dir, str(copy))
    assert done.exit_code == 1
    assert "already there" in done.stderr
    assert copy.read_text() == "precious"


def test_for_postgresql_it_says_what_does_it(
    state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FFRTMP_DATABASE", "postgresql://ann@db.example/farm")
    done = backup(state_dir, str(tmp_path / "copy.db"))
    assert done.exit_code == 1
    assert "pg_dump" in done.stderr
