"""Uploads on the disk: complete or not, received by one at a time, swept when given up."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from ffrtmp_ray.errors import Conflict, InvalidRequest, UploadNotFound
from ffrtmp_ray.storage.uploads import Upload, Uploads

TOTAL = 100


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path, max_age_seconds=100)


def _send(uploads: Uploads, data: bytes, *, start: int = 0, complete: bool = False) -> None:
    with uploads.receive("a.mov", start, TOTAL) as arriving:
        arriving.write(data)
        if complete:
            arriving.complete()


def test_what_has_come_is_known_and_gone_on_with(uploads: Uploads) -> None:
    _send(uploads, b"abc")
    assert uploads.find("a.mov") == Upload("a.mov", 3, complete=False)
    assert not uploads.path("a.mov").exists()
    _send(uploads, b"de", start=3, complete=True)
    assert uploads.find("a.mov") == Upload("a.mov", 5, complete=True)
    assert uploads.path("a.mov").read_bytes() == b"abcde"


def test_the_beginning_begins_anew(uploads: Uploads) -> None:
    _send(uploads, b"abc")
    _send(uploads, b"x", complete=True)
    assert uploads.path("a.mov").read_bytes() == b"x"


def test_a_part_that_does_not_fit_is_refused_and_nothing_is_lost(uploads: Uploads) -> None:
    _send(uploads, b"abc")
    for start in (2, 4):
        with pytest.raises(
            Conflict, match=f"3 bytes of a.mov are here, and this begins at {start}"
        ):
            _send(uploads, b"x", start=start)
    assert uploads.find("a.mov").received == 3


def test_what_is_complete_is_never_written_to(uploads: Uploads) -> None:
    _send(uploads, b"abc", complete=True)
    for start in (0, 3):
        with pytest.raises(Conflict, match=r"there is an upload a\.mov already"):
            _send(uploads, b"x", start=start)
    assert uploads.path("a.mov").read_bytes() == b"abc"


def test_two_requests_do_not_write_to_one_file(uploads: Uploads) -> None:
    with (
        uploads.receive("a.mov", 0, TOTAL),
        pytest.raises(Conflict, match="another request"),
        uploads.receive("a.mov", 0, TOTAL),
    ):
        raise AssertionError("both were let in")


def test_nothing_is_left_of_an_upload_that_has_not_begun(uploads: Uploads) -> None:
    with uploads.receive("a.mov", 0, TOTAL):
        pass
    with pytest.raises(UploadNotFound):
        uploads.find("a.mov")


@pytest.mark.parametrize("name", ["", ".hidden", "../up", "a/b", "a b", "ä", "x" * 201, "-x"])
def test_names_that_lead_elsewhere_are_refused(name: str, uploads: Uploads) -> None:
    with pytest.raises(InvalidRequest, match="is no name for an upload"):
        uploads.path(name)


def test_what_nobody_goes_on_with_is_removed_and_the_rest_stays(uploads: Uploads) -> None:
    _send(uploads, b"abc", complete=True)
    with uploads.receive("b.mov", 0, TOTAL) as arriving:
        arriving.write(b"x")
    part = uploads._unfinished("b.mov")
    os.utime(part, (1000, 1000))
    uploads.sweep(1100)
    assert uploads.find("b.mov").received == 1
    uploads.sweep(1101)
    with pytest.raises(UploadNotFound):
        uploads.find("b.mov")
    assert uploads.find("a.mov").complete


def test_an_upload_is_removed_whatever_it_has_come_to(uploads: Uploads) -> None:
    for complete in (False, True):
        _send(uploads, b"abc", complete=complete)
        uploads.remove("a.mov")
        with pytest.raises(UploadNotFound):
            uploads.remove("a.mov")


def test_uploads_that_are_received_at_one_time_share_the_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room for two, and another process, as another node, receives one already."""
    free = [250]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free[0]))
    here, there = (Uploads(tmp_path, max_age_seconds=100, min_free_bytes=10) for _ in "ab")
    with here.receive("a.mov", 0, TOTAL) as a:
        a.write(bytes(30))
        free[0] -= 30
        with there.receive("b.mov", 0, TOTAL):
            with pytest.raises(OSError, match="No space left"), here.receive("c.mov", 0, TOTAL):
                raise AssertionError("it was let in")
            with pytest.raises(UploadNotFound):
                here.find("c.mov")
            with here.receive("c.mov", 0, 40):
                pass
        with here.receive("c.mov", 0, TOTAL):
            pass
    with here.receive("c.mov", 0, TOTAL), there.receive("d.mov", 0, TOTAL):
        assert there.find("a.mov").received == 30, "what nobody sends now promises nothing"


def test_an_upload_that_begins_anew_has_the_room_of_what_had_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [100]
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free[0]))
    uploads = Uploads(tmp_path, max_age_seconds=100)
    with uploads.receive("a.mov", 0, TOTAL) as arriving:
        arriving.write(bytes(60))
        free[0] -= 60
    for start in (60, 0):
        with uploads.receive("a.mov", start, TOTAL):
            assert uploads.find("a.mov").received == start
