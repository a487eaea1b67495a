"""Which paths are read and written, and what is said of those that are not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ffrtmp_ray.errors import CallerError, InputRefused, OutputExists, OutputRefused
from ffrtmp_ray.storage.roots import check_input, check_output


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def _refused_input(path: str | Path, root: Path) -> InputRefused:
    with pytest.raises(InputRefused) as caught:
        check_input(str(path), (root,))
    _says_what_would_be_right(caught.value, "input")
    return caught.value


def _refused_output(path: str | Path, root: Path, *, folder: bool = False) -> OutputRefused:
    with pytest.raises(OutputRefused) as caught:
        check_output(str(path), (root,), folder=folder)
    _says_what_would_be_right(caught.value, "output")
    return caught.value


def _says_what_would_be_right(error: CallerError, where: str) -> None:
    assert error.where == where
    assert error.remedy


def test_a_file_below_a_root_is_read_by_its_real_path(root: Path) -> None:
    clip = root / "clip.mp4"
    clip.write_bytes(b"x")
    (root / "link.mp4").symlink_to(clip)
    assert check_input(str(root / "link.mp4"), (root,)) == clip
    assert check_input(f"{root}/./a/../clip.mp4".replace("/a/..", ""), (root,)) == clip


def test_a_root_may_itself_be_a_link(root: Path, tmp_path: Path) -> None:
    (root / "clip.mp4").write_bytes(b"x")
    (tmp_path / "alias").symlink_to(root)
    alias = tmp_path / "alias"
    assert check_input(str(alias / "clip.mp4"), (alias,)) == root / "clip.mp4"


def test_a_missing_file_is_refused(root: Path) -> None:
    assert "there is no file" in _refused_input(root / "none.mp4", root).message


def test_a_folder_is_refused_and_told_to_name_a_file(root: Path) -> None:
    assert _refused_input(root, root).remedy == "name a file in it"


def test_a_pipe_is_refused(root: Path) -> None:
    os.mkfifo(root / "pipe")
    assert "pipe" in _refused_input(root / "pipe", root).message


@pytest.mark.parametrize(
    "path", ["ftp://a/b.mp4", "concat:/a|/b", "file:///etc/passwd", "workspace://job/a.mp4"]
)
def test_urls_that_are_not_known_are_refused(path: str, root: Path) -> None:
    assert "of a kind that is not read" in _refused_input(path, root).message
    assert "of a kind that is not written" in _refused_output(path, root).message


def test_a_relative_path_is_refused(root: Path) -> None:
    assert "not absolute" in _refused_input("clip.mp4", root).message
    assert "not absolute" in _refused_output("clip.mp4", root).message


def test_a_nul_character_is_refused(root: Path) -> None:
    _refused_input(f"{root}/a\0b", root)
    _refused_output(f"{root}/a\0b.mp4", root)


def test_a_link_that_leads_out_of_the_roots_is_refused(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret.mp4"
    outside.write_bytes(b"x")
    (root / "link.mp4").symlink_to(outside)
    error = _refused_input(root / "link.mp4", root)
    assert "lies outside" in error.message
    assert str(root) in str(error.remedy)
    _refused_input(f"{root}/../secret.mp4", root)


def test_nothing_is_told_of_what_lies_outside(root: Path, tmp_path: Path) -> None:
    assert "folder" not in _refused_input(tmp_path, root).message.split("lies outside")[0]


def test_a_loop_of_links_is_refused(root: Path) -> None:
    (root / "a").symlink_to(root / "b")
    (root / "b").symlink_to(root / "a")
    _refused_input(root / "a", root)


def test_a_root_does_not_cover_a_sibling_that_begins_alike(root: Path, tmp_path: Path) -> None:
    (tmp_path / "root2").mkdir()
    (tmp_path / "root2" / "a.mp4").write_bytes(b"x")
    _refused_input(tmp_path / "root2" / "a.mp4", root)


def test_a_new_file_is_fine_even_in_folders_that_are_not_there_yet(root: Path) -> None:
    assert check_output(f"{root}/a/b/c.mp4", (root,), folder=False) == root / "a/b/c.mp4"
    assert check_output(f"{root}/a/b/", (root,), folder=True) == root / "a/b"
    assert not (root / "a").exists()


@pytest.mark.parametrize("kind", ["file", "folder", "link to nothing"])
def test_what_exists_is_never_replaced(kind: str, root: Path) -> None:
    target = root / "out.mp4"
    if kind == "file":
        target.write_bytes(b"")
    elif kind == "folder":
        target.mkdir()
    else:
        target.symlink_to(root / "nothing")
    with pytest.raises(OutputExists) as caught:
        check_output(str(target), (root,), folder=False)
    _says_what_would_be_right(caught.value, "output")


def test_an_output_outside_the_roots_is_refused(root: Path, tmp_path: Path) -> None:
    _refused_output(tmp_path / "out.mp4", root)
    _refused_output(f"{root}/../out.mp4", root)


def test_an_output_through_a_link_out_of_the_roots_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / "link").symlink_to(tmp_path / "elsewhere")
    _refused_output(root / "link" / "out.mp4", root)


def test_an_output_below_a_file_is_refused(root: Path) -> None:
    (root / "file").write_bytes(b"")
    assert "not a folder" in _refused_output(root / "file" / "out.mp4", root).message


def test_an_output_that_names_a_folder_where_a_file_is_made_is_refused(root: Path) -> None:
    assert "slash" in _refused_output(f"{root}/a.mp4/", root).message


@pytest.mark.parametrize("ending", ["..", "a/..", "a/."])
def test_an_output_without_a_name_is_refused(ending: str, root: Path) -> None:
    _refused_output(f"{root}/{ending}", root, folder=True)


def test_a_name_too_long_to_be_staged_is_refused(root: Path) -> None:
    assert "longer" in _refused_output(root / ("ä" * 101), root).message


def test_a_folder_that_cannot_be_written_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # root may write everywhere, so that permissions cannot show it: the answer of access(2) is
    # what is replaced
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    assert "nothing can be created" in _refused_output(root / "out.mp4", root).message


def test_a_file_that_cannot_be_read_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "clip.mp4").write_bytes(b"x")
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.R_OK)
    assert "may not be read" in _refused_input(root / "clip.mp4", root).message
