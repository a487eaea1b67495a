"""Objects as inputs and outputs: the same of all three kinds of store, each over HTTP."""

from __future__ import annotations

import os
from pathlib import Path

import obstore
import pytest
from obstore.store import ObjectStore
from pydantic import ValidationError

from ffrtmp_ray.errors import InputRefused, OutputExists, OutputRefused, StorageUnavailable
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage import places
from ffrtmp_ray.storage.object_origin import ObjectOrigin
from ffrtmp_ray.storage.origin import Stamp
from ffrtmp_ray.storage.places import check_input_place, check_output_place
from ffrtmp_ray.storage.publish import Publication
from ffrtmp_ray.storage.publish_objects import publish_objects as publish
from tests.support.azure_server import ACCOUNT

only_s3 = pytest.mark.parametrize("bucket", ["s3"], indirect=True)


@pytest.fixture
def settings(bucket: str) -> Settings:
    return Settings(input_roots=(f"{bucket}/in",), output_roots=(f"{bucket}/out/",))


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


@pytest.mark.parametrize("folder", [False, True])
def test_a_bucket_that_there_is_not_is_said_when_a_job_is_submitted(
    folder: bool, bucket: str
) -> None:
    settings = Settings(output_roots=(f"{bucket}none",))
    with pytest.raises(OutputRefused, match="there is no bucket") as caught:
        check_output_place(f"{bucket}none/film.mp4", settings, folder=folder)
    assert caught.value.remedy == "create it, or check the URL"


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
