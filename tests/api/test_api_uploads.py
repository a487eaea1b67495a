"""Files sent over HTTP: whole, in parts, over connections that break, and more than there is room
for."""

from __future__ import annotations

import os
import re
import resource
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from fake_gateway import FakeGateway
from served import served
from waiting import until

from ffrtmp_ray.settings import Settings
from serve.api import make_app

FILE = bytes(range(256)) * 5000


@pytest.fixture
def farm(gateway: FakeGateway, tmp_path: Path) -> Iterator[str]:
    gateway.settings_now = Settings(workspace=tmp_path, upload_max_bytes=64 * 1024**2)
    with served(make_app(gateway)) as address:
        yield address


def _put(farm: str, data: bytes, part: str | None = None, name: str = "a.mov") -> httpx.Response:
    headers = {} if part is None else {"Content-Range": f"bytes {part}"}
    return httpx.put(f"{farm}/uploads/{name}", content=data, headers=headers)


def _kept(tmp_path: Path) -> bytes:
    return (tmp_path / ".uploads" / "a.mov").read_bytes()


def test_a_file_is_sent_in_one_request(farm: str, tmp_path: Path) -> None:
    answer = _put(farm, FILE)
    assert answer.status_code == 201
    assert answer.json() == {
        "name": "a.mov",
        "received": len(FILE),
        "complete": True,
        "input": "upload://a.mov",
    }
    assert _kept(tmp_path) == FILE


def test_a_file_is_sent_in_parts(farm: str, tmp_path: Path) -> None:
    total = len(FILE)
    first = _put(farm, FILE[:1000], f"0-999/{total}")
    assert (first.status_code, first.json()["received"]) == (202, 1000)
    far = httpx.head(f"{farm}/uploads/a.mov").headers
    assert (far["Upload-Offset"], far["Upload-Complete"]) == ("1000", "?0")
    assert _put(farm, FILE[1000:], f"1000-{total - 1}/{total}").status_code == 201
    assert httpx.head(f"{farm}/uploads/a.mov").headers["Upload-Complete"] == "?1"
    assert _kept(tmp_path) == FILE


def test_what_came_over_a_connection_that_broke_is_kept(farm: str, tmp_path: Path) -> None:
    host, port = farm.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"PUT /uploads/a.mov HTTP/1.1\r\nHost: x\r\nContent-Length: {len(FILE)}\r\n\r\n"
        connection.sendall(head.encode() + FILE[:70_000])
    total = len(FILE)

    def gone_on() -> bool:  # a moment later the server has seen it
        far = int(httpx.head(f"{farm}/uploads/a.mov").headers.get("Upload-Offset", 0))
        part = f"{far}-{total - 1}/{total}"
        return far > 0 and _put(farm, FILE[far:], part).status_code == 201

    until(gone_on)
    assert _kept(tmp_path) == FILE


@pytest.mark.parametrize(
    ("part", "status", "said"),
    [
        ("5-9/10", 409, "0 bytes of a.mov are here, and this begins at 5"),
        ("0-9/10", 422, "is not what a body of 5 bytes is of a file"),
        ("0-4/4", 422, "is not what a body of 5 bytes is of a file"),
        ("4-0/10", 422, "is not what a body of 5 bytes is of a file"),
        ("all", 422, "is not what a body of 5 bytes is of a file"),
    ],
)
def test_a_part_that_cannot_be_is_refused(part: str, status: int, said: str, farm: str) -> None:
    answer = _put(farm, b"12345", part)
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert answer.json()["where"] == "Content-Range"
    assert httpx.get(f"{farm}/uploads/a.mov").status_code == 404


def test_a_name_is_given_once(farm: str, tmp_path: Path) -> None:
    assert _put(farm, b"one").status_code == 201
    assert _put(farm, b"two").status_code == 409
    assert _kept(tmp_path) == b"one"
    assert httpx.delete(f"{farm}/uploads/a.mov").status_code == 204
    assert _put(farm, b"two").status_code == 201


@pytest.mark.parametrize("name", [".hidden", "a%20b", "%2e%2e%2fup", "..%2f..%2fetc"])
def test_a_name_is_no_path(name: str, farm: str, tmp_path: Path) -> None:
    assert _put(farm, b"x", name=name).status_code in (404, 422)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_an_empty_file_is_refused(farm: str) -> None:
    assert _put(farm, b"").status_code == 422


def test_a_body_of_unknown_length_is_refused(farm: str) -> None:
    answer = httpx.put(f"{farm}/uploads/a.mov", content=iter([b"x"]))
    assert answer.status_code == 411
    assert answer.json()["remedy"] == "send `Content-Length`"


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(farm: str) -> None:
    answer = _put(farm, b"12345", f"0-4/{64 * 1024**2 + 1}")
    assert answer.status_code == 413
    assert "67108864 are allowed" in answer.json()["detail"]


def test_a_file_for_which_there_is_no_room_is_refused(farm: str, gateway: FakeGateway) -> None:
    gateway.settings_now = gateway.settings_now.model_copy(update={"min_free_bytes": 1 << 60})
    answer = _put(farm, b"12345")
    assert answer.status_code == 507
    assert "there is no room" in answer.json()["detail"]


def test_a_file_for_which_another_that_is_being_sent_leaves_no_room_is_refused(
    farm: str, gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = gateway.settings_now.min_free_bytes + len(FILE) + 1000
    disk = SimpleNamespace(free=room)
    monkeypatch.setattr("ffrtmp_ray.storage.uploads.shutil.disk_usage", lambda _: disk)
    host, port = farm.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as first:
        head = f"PUT /uploads/a.mov HTTP/1.1\r\nHost: x\r\nContent-Length: {len(FILE)}\r\n\r\n"
        first.sendall(head.encode())
        until(lambda: httpx.get(f"{farm}/uploads/a.mov").status_code == 200)
        assert _put(farm, FILE, name="b.mov").status_code == 507
        assert _put(farm, b"small", name="c.mov").status_code == 201
    until(lambda: _put(farm, FILE, name="b.mov").status_code == 201)


def test_a_disk_that_fills_up_meanwhile_is_said(farm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("ffrtmp_ray.storage.uploads.Arriving.write", full)
    assert _put(farm, b"12345").status_code == 507


def test_a_large_file_is_not_held_in_memory(farm: str, tmp_path: Path) -> None:
    def body() -> Iterator[bytes]:
        for _ in range(48):
            yield bytes(1024**2)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    headers = {"Content-Length": str(48 * 1024**2)}
    answer = httpx.put(f"{farm}/uploads/a.mov", content=body(), headers=headers, timeout=60)
    assert answer.status_code == 201
    assert (tmp_path / ".uploads" / "a.mov").stat().st_size == 48 * 1024**2
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 24 * 1024, "KiB, of server and client together"


def test_other_routes_keep_their_limit(farm: str) -> None:
    answer = httpx.post(f"{farm}/jobs", content=bytes(2 * 1024**2))
    assert answer.status_code == 413
    assert re.search("/uploads", answer.json()["remedy"])
