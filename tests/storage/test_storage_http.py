"""Inputs over http: by parts, persistently, and from nowhere that is not allowed."""

from __future__ import annotations

import socket
import time
from collections.abc import AsyncIterator, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest
from web_server import Site, web_server

from ffrtmp_ray.errors import InputRefused, MachineError
from ffrtmp_ray.storage import http_origin, patience
from ffrtmp_ray.storage.addresses import Addresses
from ffrtmp_ray.storage.http_origin import HttpOrigin
from ffrtmp_ray.storage.origin import Stamp

DATA = bytes(number * 31 % 251 for number in range(100_000))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(http_origin, "PAUSES", (0.0, 0.0))
    with web_server() as site:
        site.files["/a.mp4"] = tmp_path / "a.mp4"
        site.files["/a.mp4"].write_bytes(DATA)
        yield site


@pytest.fixture
async def origin(site: Site) -> AsyncIterator[HttpOrigin]:
    async with _origin(site, "/a.mp4") as origin:
        await origin.look()
        yield origin


def _origin(site: Site, path: str, allowed: str = "127.0.0.1") -> HttpOrigin:
    return HttpOrigin(site.url(path), Addresses([allowed]))


async def _refused(origin: HttpOrigin) -> str:
    async with origin:
        with pytest.raises(InputRefused) as caught:
            await origin.look()
    assert caught.value.remedy
    return caught.value.message


async def test_what_is_there_is_learned_from_one_byte(site: Site) -> None:
    async with _origin(site, "/a.mp4") as origin:
        found = await origin.look()
    assert (found.stamp, found.ranges) == (Stamp(100_000, '"1"'), True)
    assert site.sent == 1


async def test_a_part_is_read_and_nothing_else(site: Site, origin: HttpOrigin) -> None:
    assert await origin.fetch(1000, 3000) == DATA[1000:3000]
    assert site.asked[-1] == ("/a.mp4", "bytes=1000-2999")
    assert site.sent == 2001


async def test_a_broken_connection_is_taken_up_where_it_broke(
    site: Site, origin: HttpOrigin
) -> None:
    site.break_after = [10_000, 0, 20_000, 0]
    assert await origin.fetch(0, 100_000) == DATA
    starts = [str(part).partition("-")[0] for _, part in site.asked[1:]]
    assert starts[:4] == ["bytes=0", "bytes=10000", "bytes=10000", "bytes=30000"]


async def test_a_server_in_trouble_is_asked_again(site: Site, origin: HttpOrigin) -> None:
    site.statuses = [503, 429]
    assert await origin.fetch(0, 10) == DATA[:10]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_a_server_is_not_asked_before_the_time_that_it_says(
    status: int, form: str, site: Site, origin: HttpOrigin
) -> None:
    # a date has whole seconds, as the server's own, so that two of them may be one away
    said = {"seconds": "1", "date": formatdate(time.time() + 2, usegmt=True)}
    site.statuses, site.retry_after = [status], said[form]
    assert await origin.fetch(0, 10) == DATA[:10]
    refused, answered = site.asked_at[-2:]
    assert 0.9 < answered - refused < 10


async def test_a_server_that_wants_to_rest_for_long_is_asked_after_a_while(
    site: Site, origin: HttpOrigin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LONGEST_SECONDS", 0.2)
    site.statuses, site.retry_after = [503], "86400"
    assert await origin.fetch(0, 10) == DATA[:10]
    refused, answered = site.asked_at[-2:]
    assert 0.15 < answered - refused < 10


async def test_a_server_that_stays_in_trouble_is_no_fault_of_the_input(
    site: Site, origin: HttpOrigin
) -> None:
    site.statuses = [500] * 3
    with pytest.raises(MachineError, match=r"a\.mp4 could not be read: it answers 500"):
        await origin.fetch(0, 10)


async def test_a_server_that_is_away_is_no_fault_of_the_input(site: Site) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/a.mp4"
        async with HttpOrigin(url, Addresses(["127.0.0.1"])) as origin:
            with pytest.raises(MachineError):
                await origin.look()


async def test_a_server_that_never_answers_is_given_up(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_origin, "ANSWER_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/a.mp4"
        async with HttpOrigin(url, Addresses(["127.0.0.1"])) as origin:
            with pytest.raises(MachineError, match="could not be read: TimeoutError"):
                await origin.look()


@pytest.mark.parametrize(("status", "said"), [(404, "404"), (403, "403"), (410, "410")])
async def test_what_is_not_there_or_not_allowed_is_refused_at_once(
    status: int, said: str, site: Site
) -> None:
    site.statuses = [status]
    assert f"the server answers {said}" in await _refused(_origin(site, "/a.mp4"))
    assert len(site.asked) == 1


async def test_secrets_of_a_url_are_not_told(site: Site) -> None:
    url = site.url("/no.mp4?signature=s3cret").replace("//", "//me:hidden@")
    said = await _refused(HttpOrigin(url, Addresses(["127.0.0.1"])))
    assert "/no.mp4" in said
    assert "s3cret" not in said
    assert "hidden" not in said


async def test_a_user_and_a_password_go_to_their_own_host_alone(site: Site) -> None:
    site.authorization = "Basic bWU6aGlkZGVu"
    url = site.url("/a.mp4").replace("//", "//me:hidden@")
    async with HttpOrigin(url, Addresses(["127.0.0.1"])) as origin:
        assert (await origin.look()).stamp.bytes == 100_000
    site.redirects["/there"] = site.url("/a.mp4", host="localhost")
    url = site.url("/there").replace("//", "//me:hidden@")
    assert "401" in await _refused(HttpOrigin(url, Addresses(["127.0.0.1"])))


async def test_a_file_that_changes_is_noticed(site: Site, origin: HttpOrigin) -> None:
    site.etag = '"2"'
    with pytest.raises(InputRefused, match="was changed while the job ran"):
        await origin.fetch(0, 10)
    expected = HttpOrigin(site.url("/a.mp4"), Addresses(["127.0.0.1"]), Stamp(100_000, '"1"'))
    assert "was changed" in await _refused(expected)


async def test_an_empty_file_is_refused(site: Site) -> None:
    site.statuses = [416]
    assert "is empty" in await _refused(_origin(site, "/a.mp4"))


async def test_redirects_are_followed(site: Site) -> None:
    site.redirects["/old"] = "/older"
    site.redirects["/older"] = site.url("/a.mp4")
    async with _origin(site, "/old") as origin:
        await origin.look()
        assert await origin.fetch(5, 9) == DATA[5:9]


async def test_redirects_without_an_end_are_refused(site: Site) -> None:
    site.redirects["/round"] = "/round"
    assert "redirected more than" in await _refused(_origin(site, "/round"))


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254 is no public address"),
        ("http://[::1]/a", "::1 is no public address"),
        ("http://127.1/a", "127.1 is no address"),
        ("file:///etc/passwd", "leads away from http"),
        ("s3://bucket/a", "leads away from http"),
        ("gopher://127.0.0.1/", "leads away from http"),
    ],
)
async def test_redirects_to_places_that_may_not_be_read_are_refused(
    target: str, said: str, site: Site
) -> None:
    site.redirects["/open"] = target
    assert said in await _refused(_origin(site, "/open"))


async def test_a_public_name_that_leads_inside_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _resolve(monkeypatch, ["127.0.0.1"])
    port = site.address.rpartition(":")[2]
    url = f"http://innocent.example:{port}/a.mp4"
    said = await _refused(HttpOrigin(url, Addresses()))
    assert said == "innocent.example is 127.0.0.1, which is no public address"
    assert asked == ["innocent.example"]
    assert site.asked == []


async def test_a_name_that_changes_its_address_after_it_was_looked_at_is_refused(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one look is what is connected to, and each connection looks for itself."""
    port = site.address.rpartition(":")[2]
    allowed = Addresses(["127.0.0.1"])
    _resolve(monkeypatch, ["127.0.0.1", "127.0.0.2"])
    async with HttpOrigin(f"http://rebound.example:{port}/a.mp4", allowed) as origin:
        await origin.look()
        await origin._session.connector.close()  # type: ignore[union-attr]  # it has one
    async with HttpOrigin(f"http://rebound.example:{port}/a.mp4", allowed) as origin:
        with pytest.raises(InputRefused, match=r"rebound.example is 127\.0\.0\.2"):
            await origin.look()


async def test_a_name_that_there_is_not_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolve(monkeypatch, [])
    origin = HttpOrigin("http://nowhere.example/a.mp4", Addresses())
    assert await _refused(origin) == "there is no host nowhere.example"


async def test_a_server_without_parts_says_so(site: Site) -> None:
    site.ranges = False
    async with _origin(site, "/a.mp4") as origin:
        found = await origin.look()
        assert (found.ranges, found.stamp.bytes) == (False, 100_000)
        assert b"".join([piece async for piece in origin.whole()]) == DATA


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("", "is redirected without saying where to"),
        ("http://[::1", "is redirected to what is no URL"),
        ("http://host:port/", "is redirected to what is no URL"),
    ],
)
async def test_a_redirect_to_nowhere_is_refused_at_once(target: str, said: str, site: Site) -> None:
    site.redirects["/open"] = target
    assert said in await _refused(_origin(site, "/open"))
    assert len(site.asked) == 1


async def test_a_file_without_a_byte_is_refused_whether_there_are_parts_or_not(site: Site) -> None:
    site.files["/a.mp4"].write_bytes(b"")
    site.ranges = False
    assert "is empty" in await _refused(_origin(site, "/a.mp4"))


async def test_a_file_that_is_sent_compressed_is_refused(site: Site) -> None:
    site.headers["Content-Encoding"] = "gzip"
    said = await _refused(_origin(site, "/a.mp4"))
    assert "is sent with Content-Encoding gzip" in said


@pytest.mark.parametrize(
    "path", ["/x%20y%2Fz.mp4?sign=a%2Bb%3D%2f&c", "/%C3%BC%2541.mp4", f"/{'x' * 3000}.mp4"]
)
async def test_an_address_is_asked_for_as_it_is_written(path: str, site: Site) -> None:
    """A signature may be of just that."""
    site.files[path.partition("?")[0]] = site.files["/a.mp4"]
    site.redirects["/signed"] = path
    for start in (path, "/signed"):
        async with _origin(site, start) as origin:
            assert (await origin.look()).stamp.bytes == len(DATA)
        assert site.asked[-1][0] == path


async def test_a_server_with_an_ipv6_address_is_read_from(site: Site) -> None:
    with web_server("::1") as other:
        other.files = site.files
        async with HttpOrigin(other.url("/a.mp4"), Addresses(["::1"])) as origin:
            await origin.look()
            assert await origin.fetch(5, 9) == DATA[5:9]
        assert "::1 is no public address" in await _refused(_origin(other, "/a.mp4"))


def _resolve(monkeypatch: pytest.MonkeyPatch, answers: list[str]) -> list[str]:
    """Have the system's resolver give one of `answers` after the other, and then nothing."""
    asked: list[str] = []
    left = iter(answers)

    def resolve(host: str, port: int, *_: object, **__: object) -> list[object]:
        asked.append(host)
        address = next(left, None)
        if address is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked
