"""Outputs appear whole, once, and never in place of anything."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ffrtmp_ray.storage import publish as publishing
from ffrtmp_ray.storage.publish import (
    Publication,
    make_staging,
    publish,
    remove_stale,
    staging_path,
)

ATTEMPT = "job-finish-1-1"


@pytest.fixture(params=["renameat2", "fallback"])
def _each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With RENAME_NOREPLACE, and as on a file system that does not know it."""
    if request.param == "fallback":

        def unsupported(source: Path, target: Path) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

        monkeypatch.setattr(publishing, "_renameat2", unsupported)


def _stage(target: Path, *, folder: bool, content: bytes = b"ours") -> Path:
    staged = make_staging(target, ATTEMPT, folder=folder)
    (staged / "a.mp4" if folder else staged).write_bytes(content)
    return staged


def _read(target: Path, *, folder: bool) -> bytes:
    return (target / "a.mp4" if folder else target).read_bytes()


both = pytest.mark.parametrize("folder", [False, True], ids=["file", "folder"])
each_way = pytest.mark.usefixtures("_each_way")


def test_staging_is_a_hidden_sibling_of_the_output(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    assert staging_path(target, ATTEMPT) == tmp_path / ".out.mp4.job-finish-1-1.part"


@both
def test_staging_makes_parents_and_starts_empty(folder: bool, tmp_path: Path) -> None:
    target = tmp_path / "new" / "out"
    staged = _stage(target, folder=folder)
    assert make_staging(target, ATTEMPT, folder=folder) == staged
    assert (list(staged.iterdir()) == []) if folder else not staged.exists()


@each_way
@both
def test_publishing_moves_the_output_into_place(folder: bool, tmp_path: Path) -> None:
    target = tmp_path / "out"
    staged = _stage(target, folder=folder)
    assert publish(staged, target) is Publication.PUBLISHED
    assert _read(target, folder=folder) == b"ours"
    assert list(tmp_path.iterdir()) == [target]


@each_way
@both
def test_publishing_again_is_publishing_once(folder: bool, tmp_path: Path) -> None:
    target = tmp_path / "out"
    staged = _stage(target, folder=folder)
    publish(staged, target)
    assert publish(staged, target) is Publication.PUBLISHED
    assert _read(target, folder=folder) == b"ours"


@each_way
@both
@pytest.mark.parametrize("there", ["file", "folder", "full folder", "dangling link"])
def test_nothing_is_ever_replaced(folder: bool, there: str, tmp_path: Path) -> None:
    target = tmp_path / "out"
    staged = _stage(target, folder=folder)
    if there == "file":
        target.write_bytes(b"theirs")
    elif there == "dangling link":
        target.symlink_to("nowhere")
    else:
        target.mkdir()
        if there == "full folder":
            (target / "b").write_bytes(b"theirs")
    assert publish(staged, target) is Publication.OCCUPIED
    assert _read(staged, folder=folder) == b"ours"
    assert os.path.lexists(target)
    if there == "file":
        assert target.read_bytes() == b"theirs"


def test_an_output_that_is_nowhere_is_lost(tmp_path: Path) -> None:
    assert publish(tmp_path / ".out.part", tmp_path / "out") is Publication.LOST


def test_a_crash_between_link_and_unlink_is_made_good(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    staged = _stage(target, folder=False)
    os.link(staged, target)
    assert publish(staged, target) is Publication.PUBLISHED
    assert list(tmp_path.iterdir()) == [target]


def test_other_errors_of_the_file_system_are_not_taken_for_a_missing_feature(
    tmp_path: Path,
) -> None:
    staged = _stage(tmp_path / "out.mp4", folder=False)
    with pytest.raises(FileNotFoundError):
        publish(staged, tmp_path / "gone" / "out.mp4")


_CRASH = """
import os, signal, sys
from pathlib import Path
from ffrtmp_ray.storage import publish as publishing
point, staged, target = sys.argv[1:]
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
if point == "before":
    publishing._rename_without_replacing = die
elif point == "after":
    rename = publishing._rename_without_replacing
    def rename_and_die(*paths):
        rename(*paths)
        die()
    publishing._rename_without_replacing = rename_and_die
publishing.publish(Path(staged), Path(target))
"""


@both
@pytest.mark.parametrize("point", ["before", "after"])
def test_a_kill_around_the_rename_leaves_all_or_nothing(
    folder: bool, point: str, tmp_path: Path
) -> None:
    target = tmp_path / "out"
    staged = _stage(target, folder=folder)
    ended = subprocess.run(
        [sys.executable, "-c", _CRASH, point, str(staged), str(target)], check=False
    )
    assert ended.returncode == -signal.SIGKILL
    assert staged.exists() is (point == "before")
    assert target.exists() is (point == "after")
    assert publish(staged, target) is Publication.PUBLISHED
    assert _read(target, folder=folder) == b"ours"


def test_stale_staging_of_the_same_job_is_removed_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out"
    stale_file = make_staging(target, "job-finish-1-1", folder=False)
    stale_file.write_bytes(b"x")
    stale_folder = make_staging(target, "job-finish-1-2", folder=True)
    kept = make_staging(target, "job-finish-2-3", folder=True)
    others = [
        make_staging(target, "job2-finish-1-1", folder=True),
        make_staging(tmp_path / "out2", "job-finish-1-1", folder=True),
        tmp_path / "job-finish-1-1.part",
    ]
    others[2].write_bytes(b"x")
    remove_stale(target, "job", keep=frozenset({"job-finish-2-3"}))
    assert not stale_file.exists()
    assert not stale_folder.exists()
    assert all(path.exists() for path in [kept, *others])
    remove_stale(tmp_path / "no" / "folder", "job")
