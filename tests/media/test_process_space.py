"""Is there room where an attempt writes, and does it take no more than it may?"""

from __future__ import annotations

import os
from pathlib import Path

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.process.space import Space, free_bytes

MIB = 1024**2
PETABYTE = 10**15


def _space(place: Path, *, min_free: int = 0, most: int = PETABYTE) -> Space:
    space = Space(min_free_bytes=min_free, max_bytes=most)
    space.watch("the workspace", place)
    return space


def test_where_there_is_room_an_attempt_may_go_on(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(bytes(1000))
    assert _space(tmp_path, most=1000 + 4096).shortage() is None


def test_a_disk_with_less_room_than_is_to_be_left_is_named(tmp_path: Path) -> None:
    failure = _space(tmp_path, min_free=PETABYTE).shortage()
    assert failure is not None
    assert failure.kind is FailureKind.OUT_OF_DISK
    assert "the disk of the workspace is full" in failure.reason
    assert "FFRTMP_MIN_FREE_BYTES" in failure.reason


def test_all_places_of_an_attempt_count_together(tmp_path: Path) -> None:
    folder, staged = tmp_path / "attempt", tmp_path / "staged.mp4"
    (folder / "deeper").mkdir(parents=True)
    (folder / "deeper" / "a.mp4").write_bytes(bytes(MIB))
    space = _space(folder, most=2 * MIB)
    space.watch("the output", staged)
    assert space.shortage() is None
    staged.write_bytes(bytes(MIB))
    failure = space.shortage()
    assert failure is not None
    assert failure.kind is FailureKind.OVER_LIMIT
    assert "it has written 2 MiB, and one attempt may write 2 MiB" in failure.reason


def test_what_is_free_is_what_this_user_may_take(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    assert abs(free_bytes(tmp_path) - disk.f_bavail * disk.f_frsize) < 1024 * MIB
