"""Fixtures for all rooms: ffmpeg, generated clips, and real clips where the machine has them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import imageio_ffmpeg
import pytest

from ffrtmp_ray.store.open import migrate
from support.postgresql import Server, running_server
from tests.clips import Clips
from tests.support.azure_server import azure_server, new_azure_container
from tests.support.google_server import google_server, new_google_bucket
from tests.support.object_server import new_bucket, object_server

_MEDIA_VARIABLE = "FFRTMP_TEST_MEDIA"
_MEDIA_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "media"


def shared_media() -> Path | None:
    """A folder of real clips: the one that the environment names, or one beside the checkout."""
    folder = Path(os.environ.get(_MEDIA_VARIABLE) or _MEDIA_BESIDE)
    return folder if folder.is_dir() else None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--every-clip", action="store_true", help="cut every clip into chunks, in every way"
    )


def real_clips() -> list[Path]:
    """Those that are there, in the order of their names."""
    folder = shared_media()
    found = [] if folder is None else sorted(folder.iterdir())
    return [path for path in found if path.suffix not in ("", ".md", ".txt", ".json")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `real_clip` runs once for each real clip that is there."""
    if "real_clip" in metafunc.fixturenames:
        metafunc.parametrize("real_clip", real_clips(), ids=lambda path: path.name)


@pytest.fixture(scope="session")
def ffmpeg() -> str:
    """The ffmpeg that comes with the installation."""
    return imageio_ffmpeg.get_ffmpeg_exe()


@pytest.fixture(scope="session")
def clips(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Clips:
    """`clips("plain.mp4")` is the path of that clip of `clips.RECIPES`, made at its first use."""
    return Clips(tmp_path_factory.mktemp("clips"), ffmpeg)


@pytest.fixture(scope="session")
def _s3() -> Iterator[str]:
    with object_server() as url:
        yield url


@pytest.fixture(scope="session")
def _google() -> Iterator[str]:
    with google_server() as url:
        yield url


@pytest.fixture(scope="session")
def _azure() -> Iterator[str]:
    with azure_server() as url:
        yield url


@pytest.fixture
def bucket_of(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str]:
    """`bucket_of("gs")` is the URL of an empty bucket of that kind of store (`s3`, `gs`, `az`); the
    environment says how it is reached."""
    kinds = {
        "s3": ("_s3", new_bucket),
        "gs": ("_google", new_google_bucket),
        "az": ("_azure", new_azure_container),
    }

    def make(kind: str) -> str:
        server, new = kinds[kind]
        return new(request.getfixturevalue(server), monkeypatch)

    return make


@pytest.fixture
def bucket(bucket_of: Callable[[str], str]) -> str:
    """The URL of an empty bucket of an S3 server; the environment says how it is reached."""
    return bucket_of("s3")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server of the tests' own."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def _migrated(postgresql: Server) -> str:
    name = postgresql.create()
    migrate(postgresql.url(name))
    return name


@pytest.fixture
def postgresql_database(postgresql: Server, _migrated: str) -> str:
    """The URL of a migrated database without a row of an earlier test."""
    postgresql.empty(_migrated)
    return postgresql.url(_migrated)
