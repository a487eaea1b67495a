"""`Client.upload` and `ffrtmp upload`, against the real API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fake_gateway import FakeGateway
from served import served

from ffrtmp_ray import sending
from ffrtmp_ray.client import Client
from ffrtmp_ray.errors import Conflict, Unavailable
from ffrtmp_ray.settings import Settings
from serve.api import make_app

DATA = bytes(range(256)) * 10_000


class _Breaking(httpx.HTTPTransport):
    """Sends the body of each PUT up to a place, and then breaks the connection."""

    def __init__(self, places: list[int]) -> None:
        super().__init__()
        self._places = places

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PUT" and self._places:
            request.stream = _Cut(request.stream, self._places.pop(0))  # type: ignore[arg-type]
        return super().handle_request(request)


class _Cut(httpx.SyncByteStream):
    def __init__(self, body: httpx.SyncByteStream, length: int) -> None:
        self._body, self._left = body, length

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._body:
            yield piece[: self._left]
            self._left -= len(piece)
            if self._left <= 0:
                raise httpx.WriteError("the connection broke")


@pytest.fixture
def address(gateway: FakeGateway, tmp_path: Path) -> Iterator[str]:
    gateway.settings_now = Settings(workspace=tmp_path / "workspace")
    with served(make_app(gateway)) as address:
        yield address


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sending, "_AGAIN_SECONDS", 0.05)
    path = tmp_path / "film.mov"
    path.write_bytes(DATA)
    return path


def _kept(tmp_path: Path, name: str = "film.mov") -> bytes:
    return (tmp_path / "workspace" / ".uploads" / name).read_bytes()


def test_a_file_is_sent_and_said_how_a_job_names_it(
    address: str, file: Path, tmp_path: Path
) -> None:
    seen: list[int] = []
    with Client(address) as farm:
        view = farm.upload(file, progress=seen.append)
    assert view.input == "upload://film.mov"
    assert view.complete
    assert seen[-1] == len(DATA)
    assert _kept(tmp_path) == DATA


def test_connections_that_break_are_taken_up(address: str, file: Path, tmp_path: Path) -> None:
    with Client(address, transport=_Breaking([1_500_000, 100_000])) as farm:
        farm.upload(file, "other.mov")
    assert _kept(tmp_path, "other.mov") == DATA


def test_it_gives_up_when_nothing_gets_through(address: str, file: Path) -> None:
    with Client(address, transport=_Breaking([0] * 100)) as farm, pytest.raises(Unavailable):
        farm.upload(file, patience=0.2)


def test_an_upload_that_broke_off_is_gone_on_with_when_asked_to(
    address: str, file: Path, tmp_path: Path
) -> None:
    part = {"Content-Range": f"bytes 0-999/{len(DATA)}"}
    httpx.put(f"{address}/uploads/film.mov", content=DATA[:1000], headers=part)
    seen: list[int] = []
    with Client(address) as farm:
        farm.upload(file, resume=True, progress=seen.append)
    assert seen[0] == 1000 + 1024 * 1024
    assert _kept(tmp_path) == DATA


def test_a_name_that_is_taken_is_refused(address: str, file: Path) -> None:
    with Client(address) as farm:
        farm.upload(file)
        with pytest.raises(Conflict, match="already"):
            farm.upload(file)
