"""Objects as inputs and outputs: the same of all three kinds of store, each over HTTP."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import obstore
import pytest
from obstore.store import ObjectStore, from_url
from pydantic import ValidationError

from ffrtmp_ray.errors import InputRefused, OutputExists, OutputRefused, StorageUnavailable
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage import places, publish_objects
from ffrtmp_ray.storage.object_origin import ObjectOrigin
from ffrtmp_ray.storage.origin import Stamp
from ffrtmp_ray.storage.places import check_input_place, check_output_place
from ffrtmp_ray.storage.publish import Publication
from ffrtmp_ray.storage.publish_objects import in_order
from ffrtmp_ray.storage.publish_objects import publish_objects as publish
from tests.support.azure_server import ACCOUNT

MARKER = "out/.film.publishing"
MANIFESTS = ("master.m3u8", "a/index.m3u8", "stream.mpd")


@pytest.fixture(params=["s3", "gs", "az"])
def bucket(request: pytest.FixtureRequest, bucket_of: Callable[[str], str]) -> str:
    """An empty one of each kind of store."""
    return bucket_of(request.param)


only_s3 = pytest.mark.parametrize("bucket", ["s3"], indirect=True)


@pytest.fixture
def store(bucket: str) -> ObjectStore:
    return from_url(bucket)


@pytest.fixture
def settings(bucket: str) -> Settings:
    return Settings(input_roots=(f"{bucket}/in",), output_roots=(f"{bucket}/out/",))


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


# ------------------------------------------------------------------------------ what is allowed


def test_an_object_below_a_root_is_an_input(
    bucket: str, store: ObjectStore, settings: Settings
) -> None:
    obstore.put(store, "in/a.mp4", b"x")
    assert check_input_place(f"{bucket}/in/a.mp4", settings) == f"{bucket}/in/a.mp4"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("in/none.mp4", "there is no object"),
        ("inside/a.mp4", "lies outside"),
        ("in/../out/a.mp4", "an empty part, or one of dots"),
        ("in//a.mp4", "an empty part, or one of dots"),
        ("", "names no object"),
        ("in/a\nb.mp4", "cannot be an object"),
    ],
)
def test_other_objects_are_refused(path: str, said: str, bucket: str, settings: Settings) -> None:
    with pytest.raises(InputRefused, match=said) as caught:
        check_input_place(f"{bucket}/{path}", settings)
    assert caught.value.remedy


def test_a_bucket_that_is_no_root_is_not_asked(bucket: str, settings: Settings) -> None:
    for check in (
        lambda: check_input_place(f"{bucket}x/in/a.mp4", settings),
        lambda: check_output_place(f"{bucket}x/out/a.mp4", settings, folder=False),
    ):
        with pytest.raises((InputRefused, OutputRefused), match="lies outside"):
            check()


def test_a_free_place_is_an_output(bucket: str, store: ObjectStore, settings: Settings) -> None:
    obstore.put(store, "out/film.mp4.bak", b"x")
    for folder in (False, True):
        place = check_output_place(f"{bucket}/out/film.mp4", settings, folder=folder)
        assert place == f"{bucket}/out/film.mp4"
    assert check_output_place(f"{bucket}/out/b/", settings, folder=True) == f"{bucket}/out/b"


@pytest.mark.parametrize(("key", "folder"), [("out/film", False), ("out/film/a.mp4", True)])
def test_what_is_there_is_not_replaced(
    key: str, folder: bool, bucket: str, store: ObjectStore, settings: Settings
) -> None:
    obstore.put(store, key, b"x")
    with pytest.raises(OutputExists):
        check_output_place(f"{bucket}/out/film", settings, folder=folder)


def test_one_file_has_a_name(bucket: str, settings: Settings) -> None:
    with pytest.raises(OutputRefused, match="slash"):
        check_output_place(f"{bucket}/out/film/", settings, folder=False)


@only_s3
def test_a_store_that_is_away_is_no_fault_of_the_caller(
    bucket: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(places, "_PATIENCE_SECONDS", 0.2)
    with pytest.raises(StorageUnavailable, match="cannot be reached now"):
        check_input_place(f"{bucket}/in/a.mp4", settings)


def test_a_store_that_is_not_set_up_says_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    with pytest.raises(StorageUnavailable, match="Account must be specified"):
        check_input_place("az://films/a.mp4", Settings(input_roots=("az://films",)))


@pytest.mark.parametrize("bucket", ["az"], indirect=True)
def test_credentials_that_are_wrong_are_said_and_not_told(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shared access signature, which stands in every URL that is asked for."""
    monkeypatch.delenv("AZURE_STORAGE_USE_EMULATOR")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
    monkeypatch.setenv("AZURE_STORAGE_SAS_KEY", "sv=2021-08-06&sr=c&sp=rl&sig=hidden")
    monkeypatch.setattr(places, "_PATIENCE_SECONDS", 0.2)
    settings = Settings(input_roots=(bucket,))
    there = os.environ["AZURITE_BLOB_STORAGE_URL"]
    for endpoint, said in ((there, "credentials do not allow"), ("http://127.0.0.1:9", "reached")):
        monkeypatch.setenv("AZURE_ENDPOINT", f"{endpoint}/{ACCOUNT}")
        with pytest.raises((InputRefused, StorageUnavailable), match=said) as caught:
            check_input_place(f"{bucket}/in/a.mp4", settings)
        assert "hidden" not in f"{caught.value} {caught.value.__cause__}"


def test_a_root_is_a_path_or_a_bucket() -> None:
    assert Settings(input_roots=("/srv", "gs://b/in")).input_roots == (Path("/srv"), "gs://b/in")
    with pytest.raises(ValidationError, match="a root is a path"):
        Settings(input_roots=("ftp://host/in",))


# ------------------------------------------------------------------------------ reading


async def test_a_part_of_an_object_is_read(bucket: str, store: ObjectStore) -> None:
    put = obstore.put(store, "in/a.mp4", bytes(range(100)))
    origin = ObjectOrigin(f"{bucket}/in/a.mp4")
    assert await origin.look() == Stamp(100, str(put["e_tag"]))
    assert await origin.fetch(10, 20) == bytes(range(10, 20))


async def test_an_object_that_is_replaced_is_noticed(bucket: str, store: ObjectStore) -> None:
    obstore.put(store, "in/a.mp4", b"one")
    origin = ObjectOrigin(f"{bucket}/in/a.mp4")
    planned = await origin.look()
    obstore.put(store, "in/a.mp4", b"two")
    with pytest.raises(InputRefused, match="was changed while the job ran"):
        await origin.fetch(0, 1)
    with pytest.raises(InputRefused, match="was changed while the job ran"):
        await ObjectOrigin(f"{bucket}/in/a.mp4", planned).look()


async def test_an_empty_object_is_refused(bucket: str, store: ObjectStore) -> None:
    obstore.put(store, "in/a.mp4", b"")
    with pytest.raises(InputRefused, match="is empty"):
        await ObjectOrigin(f"{bucket}/in/a.mp4").look()


async def test_a_key_may_have_any_characters(bucket: str, tmp_path: Path) -> None:
    staged, place = tmp_path / "film.mp4", f"{bucket}/in/ü 100%41 a+b?c#d=&'.mp4"
    staged.write_bytes(b"film")
    assert publish(staged, place, [place], "job/1") is Publication.PUBLISHED
    assert check_input_place(place, Settings(input_roots=(bucket,))) == place
    origin = ObjectOrigin(place)
    await origin.look()
    assert await origin.fetch(1, 3) == b"il"
    with pytest.raises(OutputExists):
        check_output_place(place, Settings(output_roots=(bucket,)), folder=False)


# ------------------------------------------------------------------------------ publishing


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


@pytest.mark.parametrize("key", ["out/film/a/2.m4s", "out/film/a/index.m3u8", MARKER])
def test_a_publication_that_was_cut_off_is_gone_on_with(
    key: str, bucket: str, ladder: Path, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same attempt, or by a later one of the same job that has found nothing put yet."""
    target = f"{bucket}/out/film"
    with monkeypatch.context() as patch:
        put = obstore.put

        def cut_off(to: ObjectStore, wanted: str, *rest: object, **options: object) -> object:
            done = put(to, wanted, *rest, **options)  # type: ignore[arg-type]
            if wanted == key:
                raise ConnectionError("the worker is lost")
            return done

        patch.setattr(obstore, "put", cut_off)
        with pytest.raises(StorageUnavailable):
            publish(ladder, target, [], "one/1")
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
