"""Finished chunks by their address: kept, taken, and gone in time."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ffrtmp_ray.storage.chunk_store import SWEEP_SECONDS, ChunkStore

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
DAY = 86400.0


@pytest.fixture
def store(tmp_path: Path) -> ChunkStore:
    return ChunkStore(tmp_path / "ws" / ".chunks", max_bytes=100, max_age_seconds=DAY)


def _chunk(folder: Path, content: bytes = b"chunk") -> Path:
    path = folder / f"{len(list(folder.iterdir()))}.mp4"
    path.write_bytes(content)
    return path


def _has(store: ChunkStore, address: str) -> bool:
    """By its name alone: taking it would count as use."""
    return (store.root / address[:2] / address).is_file()


def test_a_chunk_is_taken_under_its_address(store: ChunkStore, tmp_path: Path) -> None:
    store.add(A, _chunk(tmp_path), now=1.0)
    assert store.take(A, tmp_path / "again", now=2.0)
    assert (tmp_path / "again").read_bytes() == b"chunk"
    assert not store.take(B, tmp_path / "other", now=2.0)
    assert not (tmp_path / "other").exists()


def test_it_outlives_the_file_that_it_was_made_as(store: ChunkStore, tmp_path: Path) -> None:
    made = _chunk(tmp_path)
    store.add(A, made, now=1.0)
    made.unlink()
    assert store.take(A, tmp_path / "again", now=2.0)


def test_what_was_taken_outlives_the_store(store: ChunkStore, tmp_path: Path) -> None:
    store.add(A, _chunk(tmp_path), now=1.0)
    store.take(A, tmp_path / "again", now=2.0)
    store.clear()
    assert not _has(store, A)
    assert (tmp_path / "again").read_bytes() == b"chunk"


def test_the_first_of_equal_chunks_stays(store: ChunkStore, tmp_path: Path) -> None:
    store.add(A, _chunk(tmp_path, b"first"), now=1.0)
    store.add(A, _chunk(tmp_path, b"second"), now=1.0)
    store.take(A, tmp_path / "again", now=2.0)
    assert (tmp_path / "again").read_bytes() == b"first"


def test_a_dropped_chunk_is_gone(store: ChunkStore, tmp_path: Path) -> None:
    store.add(A, _chunk(tmp_path), now=1.0)
    store.drop(A)
    store.drop(A)
    assert not store.take(A, tmp_path / "again", now=2.0)


def test_what_was_used_least_lately_goes_first(store: ChunkStore, tmp_path: Path) -> None:
    for address, now in ((A, 1.0), (B, 2.0), (C, 3.0)):
        store.add(address, _chunk(tmp_path, bytes(40)), now=now)
    store.take(A, tmp_path / "again", now=4.0)
    store.sweep(5.0)
    assert [_has(store, each) for each in (A, B, C)] == [True, False, True]


def test_what_nobody_uses_goes(store: ChunkStore, tmp_path: Path) -> None:
    store.add(A, _chunk(tmp_path), now=1.0)
    store.add(B, _chunk(tmp_path), now=DAY)
    store.sweep(DAY + 2)
    assert [_has(store, each) for each in (A, B)] == [False, True]


def test_adding_sweeps_every_now_and_then(store: ChunkStore, tmp_path: Path) -> None:
    store.add(A, _chunk(tmp_path, bytes(60)), now=1.0)
    store.add(B, _chunk(tmp_path, bytes(60)), now=2.0)
    assert _has(store, A)
    store.add(C, _chunk(tmp_path, b""), now=1.0 + SWEEP_SECONDS)
    assert [_has(store, each) for each in (A, B, C)] == [False, True, True]


def test_a_store_without_room_keeps_nothing(tmp_path: Path) -> None:
    store = ChunkStore(tmp_path / ".chunks", max_bytes=0, max_age_seconds=DAY)
    store.add(A, _chunk(tmp_path), now=1.0)
    assert not store.root.exists()


def test_a_file_system_without_links_gets_copies(
    store: ChunkStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    store.add(A, _chunk(tmp_path), now=1.0)
    assert store.take(A, tmp_path / "again", now=2.0)
    assert (tmp_path / "again").read_bytes() == b"chunk"


def test_the_same_chunk_is_copied_by_two_threads_at_once(
    store: ChunkStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by two nodes whose processes have one number, on a file system without links."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    both, copy = threading.Barrier(2, timeout=10), shutil.copy2

    def copy_together(source: Path, part: Path) -> None:
        copy(source, part)
        both.wait()

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(shutil, "copy2", copy_together)
    chunks = [_chunk(tmp_path, content) for content in (b"chunk", b"chunk")]
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(store.add, A, chunk, 1.0) for chunk in chunks]:
            done.result()
    assert [path.name for path in (store.root / A[:2]).iterdir()] == [A]


def test_only_a_digest_is_an_address(store: ChunkStore, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no SHA-256"):
        store.take("../../etc/passwd", tmp_path / "x", now=1.0)
