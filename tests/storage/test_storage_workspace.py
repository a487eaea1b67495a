"""Where attempts leave their files, and what is removed when."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffrtmp_ray.storage.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def test_an_attempt_starts_with_an_empty_folder(workspace: Workspace) -> None:
    folder = workspace.make("job", "job-encode0-1-1")
    (folder / "half.mp4").write_bytes(b"x")
    assert workspace.make("job", "job-encode0-1-1") == folder
    assert list(folder.iterdir()) == []


def test_results_name_files_relative_to_the_workspace(workspace: Workspace) -> None:
    file = workspace.make("job", "a-1-1") / "out.mp4"
    assert workspace.relative(file) == "job/a-1-1/out.mp4"
    assert workspace.absolute("job/a-1-1/out.mp4") == file


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "job/../../secret"])
def test_a_result_cannot_name_a_file_outside(path: str, workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="outside"):
        workspace.absolute(path)


@pytest.mark.parametrize("name", ["..", "", "a/b", ".hidden"])
def test_an_id_that_is_unsafe_as_a_name_is_refused(name: str, workspace: Workspace) -> None:
    with pytest.raises(ValueError, match="no id"):
        workspace.attempt("job", name)
    with pytest.raises(ValueError, match="no id"):
        workspace.remove_job(name)


def test_removing_the_last_attempt_removes_the_jobs_folder(workspace: Workspace) -> None:
    workspace.make("job", "a-1-1")
    workspace.make("job", "b-1-1")
    workspace.remove("job", "a-1-1")
    assert workspace.attempt("job", "b-1-1").is_dir()
    workspace.remove("job", "b-1-1")
    assert not (workspace.root / "job").exists()
    workspace.remove("job", "b-1-1")


def test_attempts_that_left_files_are_known(workspace: Workspace) -> None:
    workspace.make("job", "encode0-1-1")
    workspace.make("job", "encode1-1-1")
    workspace.make("other", "encode0-1-1")
    assert workspace.attempts("job") == {"encode0-1-1", "encode1-1-1"}
    assert workspace.attempts("never-started") == frozenset()


def test_removing_a_job_removes_all_of_it(workspace: Workspace) -> None:
    workspace.make("job", "a-1-1")
    workspace.remove_job("job")
    assert not (workspace.root / "job").exists()
    workspace.remove_job("job")
