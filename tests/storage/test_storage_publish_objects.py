"""Outputs in object stores: published whole, once, and by one job: the same of all three kinds."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore
import pytest
from obstore.store import ObjectStore

from ffrtmp_ray.errors import OutputExists, StorageUnavailable
from ffrtmp_ray.storage import publish_objects
from ffrtmp_ray.storage.publish import Publication
from ffrtmp_ray.storage.publish_objects import in_order, withdraw_objects
from ffrtmp_ray.storage.publish_objects import publish_objects as publish

MARKER = "out/.film.publishing"
MANIFESTS = ("master.m3u8", "a/index.m3u8", "stream.mpd")


@pytest.fixture
def ladder(tmp_path: Path) -> Path:
    """A folder of segments and manifests."""
    folder = tmp_path / "ladder"
    for name in ("a/1.m4s", "a/2.m4s", *MANIFESTS):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def _versions(store: ObjectStore) -> list[object]:
    found = [(meta["path"], meta["last_modified"]) for page in obstore.list(store) for meta in page]
    return sorted(each for each in found if each[0] != MARKER)


def _keys(store: ObjectStore) -> list[str]:
    return sorted(meta["path"] for page in obstore.list(store) for meta in page)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("film.mp4", "video/mp4"), ("song.opus", "audio/ogg"), ("poster.webp", "image/webp")],
)
def test_a_file_is_put_with_its_type(
    name: str, kind: str, bucket: str, store: ObjectStore, tmp_path: Path
) -> None:
    staged = tmp_path / "output"
    staged.write_bytes(b"film")
    target = f"{bucket}/out/{name}"
    assert publish(staged, target, [target], "job/1") is Publication.PUBLISHED
    got = obstore.get(store, f"out/{name}")
    assert got.attributes["Content-Type"] == kind
    assert bytes(got.bytes()) == b"film"


def test_a_publication_may_be_repeated(bucket: str, ladder: Path, store: ObjectStore) -> None:
    target = f"{bucket}/out/film"
    outputs = [f"{target}/master.m3u8"]
    for _ in range(2):
        assert publish(ladder, target, outputs, "job/1") is Publication.PUBLISHED
    assert len(_keys(store)) == 5
    gone = ladder.parent / "gone"
    assert publish(gone, target, outputs, "job/1") is Publication.PUBLISHED
    assert publish(gone, target, outputs, "job/2") is Publication.LOST
    assert publish(gone, f"{bucket}/out/b", [f"{bucket}/out/b/c"], "job/1") is Publication.LOST


def test_what_another_has_put_is_neither_replaced_nor_mixed_with_ours(
    bucket: str, ladder: Path, store: ObjectStore
) -> None:
    obstore.put(store, "out/film/a/2.m4s", b"another's")
    target = f"{bucket}/out/film"
    assert publish(ladder, target, [], "job/1") is Publication.OCCUPIED
    assert _keys(store) == ["out/film/a/2.m4s"]
    assert bytes(obstore.get(store, "out/film/a/2.m4s").bytes()) == b"another's"


def test_two_jobs_that_publish_to_one_folder_at_once_are_not_mixed(
    bucket: str, ladder: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second begins when the first has put a part of its own, and has other names."""
    target, other = f"{bucket}/out/film", ladder.parent / "other"
    (other / "b").mkdir(parents=True)
    (other / "b/1.m4s").write_bytes(b"another's")
    refusals = []
    put = obstore.put

    def second_comes(to: ObjectStore, key: str, *rest: object, **options: object) -> object:
        if key == "out/film/a/index.m3u8":
            with pytest.raises(OutputExists, match="job one is publishing to") as caught:
                publish(other, target, [], "two/1")
            refusals.append(caught.value)
        return put(to, key, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(obstore, "put", second_comes)
    assert publish(ladder, target, [], "one/1") is Publication.PUBLISHED
    (refusal,) = refusals
    assert f"delete {bucket}/{MARKER}" in str(refusal.remedy)
    assert _keys(store) == sorted(
        f"out/film/{path.relative_to(ladder)}" for path in ladder.rglob("*.*")
    ), "all of the first, nothing of the second, and no marker"
    assert publish(other, target, [], "two/1") is Publication.OCCUPIED
    assert len(_keys(store)) == 5


def test_what_another_has_in_the_folder_is_not_mixed_with_ours(
    bucket: str, ladder: Path, store: ObjectStore
) -> None:
    obstore.put(store, "out/film/readme.txt", b"another's")
    assert publish(ladder, f"{bucket}/out/film", [], "one/1") is Publication.OCCUPIED
    assert _keys(store) == ["out/film/readme.txt"]


def cut_off(key: str, ladder: Path, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the publication `one/1` end after that object."""
    with monkeypatch.context() as patch:
        put = obstore.put

        def end_after(to: ObjectStore, wanted: str, *rest: object, **options: object) -> object:
            done = put(to, wanted, *rest, **options)  # type: ignore[arg-type]
            if wanted == key:
                raise ConnectionError("the worker is lost")
            return done

        patch.setattr(obstore, "put", end_after)
        with pytest.raises(StorageUnavailable):
            publish(ladder, target, [], "one/1")


@pytest.mark.parametrize("key", ["out/film/a/2.m4s", "out/film/a/index.m3u8", MARKER])
def test_one_that_was_cut_off_for_good_is_taken_back_and_leaves_its_place_to_others(
    key: str, bucket: str, ladder: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    obstore.put(store, "out/film.txt", b"another's")
    target = f"{bucket}/out/film"
    cut_off(key, ladder, target, monkeypatch)
    withdraw_objects(target, "two/1")
    assert MARKER in _keys(store), "it is not that job's"

    withdraw_objects(target, "one/1")

    assert _keys(store) == ["out/film.txt"]
    assert publish(ladder, target, [], "two/1") is Publication.PUBLISHED


def test_a_whole_publication_is_never_taken_back(
    bucket: str, ladder: Path, store: ObjectStore
) -> None:
    target = f"{bucket}/out/film"
    publish(ladder, target, [], "one/1")
    withdraw_objects(target, "one/1")
    assert len(_keys(store)) == 5


@pytest.mark.parametrize("key", ["out/film/a/2.m4s", "out/film/a/index.m3u8", MARKER])
def test_a_publication_that_was_cut_off_is_gone_on_with(
    key: str, bucket: str, ladder: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same attempt, or by a later one of the same job that has found nothing put yet."""
    target = f"{bucket}/out/film"
    cut_off(key, ladder, target, monkeypatch)
    assert MARKER in _keys(store)
    with pytest.raises(OutputExists):
        publish(ladder, target, [], "two/1")
    later = "one/2" if key == MARKER else "one/1"
    assert publish(ladder, target, [], later) is Publication.PUBLISHED
    assert len(_keys(store)) == 5


def test_a_worker_that_is_thought_lost_and_its_successor_publish_once(
    bucket: str, ladder: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, put = f"{bucket}/out/film", obstore.put
    written: list[object] = []

    def slow(to: ObjectStore, key: str, *rest: object, **options: object) -> object:
        if key == "out/film/a/index.m3u8" and not written:
            written.append(key)
            assert publish(ladder, target, [], "one/1") is Publication.PUBLISHED
            written.extend(_versions(store))
        return put(to, key, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(obstore, "put", slow)
    assert publish(ladder, target, [], "one/1") is Publication.PUBLISHED
    assert written[1:] == _versions(store), "no object was written twice"
    assert len(_keys(store)) == 5


def test_what_a_user_adds_to_a_folder_later_does_not_undo_a_repeated_publication(
    bucket: str, ladder: Path, store: ObjectStore
) -> None:
    target = f"{bucket}/out/film"
    publish(ladder, target, [], "one/1")
    obstore.put(store, "out/film/readme.txt", b"the user's")
    assert publish(ladder, target, [], "one/1") is Publication.PUBLISHED
    assert len(_keys(store)) == 6


def test_a_large_file_is_put_in_parts_and_replaces_nothing(
    bucket: str, store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish_objects, "LARGEST_PUT", 1024)
    staged, target = tmp_path / "output", f"{bucket}/out/film.mkv"
    staged.write_bytes(bytes(9 * 1024**2))
    for _ in range(2):
        assert publish(staged, target, [target], "job/1") is Publication.PUBLISHED
    assert publish(staged, target, [target], "other/2") is Publication.OCCUPIED
    assert obstore.head(store, "out/film.mkv")["size"] == 9 * 1024**2
    assert _keys(store) == ["out/film.mkv"]


def test_what_appears_while_a_large_file_is_put_is_not_replaced(
    bucket: str, store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish_objects, "LARGEST_PUT", 1024)
    staged, target = tmp_path / "output", f"{bucket}/out/film.mkv"
    staged.write_bytes(bytes(9 * 1024**2))
    put = obstore.put

    def overtaken(to: ObjectStore, key: str, file: object, **options: object) -> object:
        def parts() -> Iterator[bytes]:
            for number, part in enumerate(file):  # type: ignore[arg-type]
                if number == 1:
                    with ThreadPoolExecutor(1) as thread:
                        thread.submit(put, store, "out/film.mkv", b"another's").result()
                yield part

        whole = key != "out/film.mkv"
        return put(to, key, file if whole else parts(), **options)  # type: ignore[arg-type]

    monkeypatch.setattr(obstore, "put", overtaken)
    assert publish(staged, target, [target], "job/1") is Publication.OCCUPIED
    assert bytes(obstore.get(store, "out/film.mkv").bytes()) == b"another's"
    assert _keys(store) == ["out/film.mkv"]


def test_manifests_come_last_and_those_that_name_manifests_after_them() -> None:
    names = [*MANIFESTS, "z/2.m4s", "a/1.m4s", "init.mp4"]
    assert in_order(names) == [
        "a/1.m4s",
        "init.mp4",
        "z/2.m4s",
        "a/index.m3u8",
        "master.m3u8",
        "stream.mpd",
    ]


def test_no_manifest_is_seen_before_what_it_names(
    bucket: str, ladder: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    put = obstore.put

    def watched(to: ObjectStore, key: str, *rest: object, **options: object) -> object:
        if key.endswith((".m3u8", ".mpd")):
            there = [name.removeprefix("out/film/") for name in _keys(store)]
            seen.append([name for name in there if name != MARKER])
        return put(to, key, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(obstore, "put", watched)
    publish(ladder, f"{bucket}/out/film", [], "job/1")
    media = ["a/1.m4s", "a/2.m4s"]
    assert seen == [
        media,
        [*media, "a/index.m3u8"],
        [*media, "a/index.m3u8", "master.m3u8"],
    ]
