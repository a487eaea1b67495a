"""Reads a file by http(s), in ranges, from addresses that may be read from.

Every connection, after redirects too, goes to an address that was checked: names are resolved here
and what they resolve to is what is connected to.
"""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from ffrtmp_ray.errors import InputRefused, MachineError
from ffrtmp_ray.storage.addresses import Addresses
from ffrtmp_ray.storage.origin import Stamp, changed
from ffrtmp_ray.storage.patience import Patience, asked_seconds
from ffrtmp_ray.storage.urls import HTTP, shown

MOST_REDIRECTS = 5
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 30.0
"""A connection on which nothing comes for so long is given up."""
ANSWER_SECONDS = 60.0
"""For an answer to begin, however little of it comes at a time."""
PAUSES = (0.2, 1.0, 3.0, 8.0)
"""Seconds before each further try that follows one without a byte; more if the server says so."""
_PIECE = 256 * 1024

_REDIRECTS = (301, 302, 303, 307, 308)
_LATER = (408, 425, 429)
"""As 5xx: the server may answer otherwise later."""
_COMPRESSED = ("gzip", "x-gzip", "deflate", "compress", "br", "zstd")
_AS_WRITTEN = re.compile(r"[!-~]+")
_NO_NAME = (socket.EAI_NONAME, socket.EAI_NODATA)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class _Trouble(Exception):  # never leaves this module
    """The server could not answer this time."""

    def __init__(self, said: str, asked_seconds: float = 0.0) -> None:
        super().__init__(said)
        self.asked_seconds = asked_seconds
        """For which it does not want to be asked again."""


_TROUBLES = (_Trouble, aiohttp.ClientError, TimeoutError, OSError)


@dataclass(frozen=True, slots=True)
class Found:
    """What a server says of a file."""

    stamp: Stamp
    ranges: bool
    """It can be read in parts; else `stamp.bytes` may be -1, for unknown."""


class HttpOrigin:
    """`url` may have a user and password in it; they go to its own host only."""

    def __init__(self, url: str, addresses: Addresses, expected: Stamp | None = None) -> None:
        self._url = _parsed(url)
        self._addresses = addresses
        self._stamp = expected
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS
        )
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=_CheckedResolver(addresses), use_dns_cache=False
            ),
            timeout=timeout,
            auto_decompress=False,
            headers={"Accept-Encoding": "identity"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._session.close()

    async def look(self) -> Found:
        """Ask what is there. Raises InputRefused, MachineError."""
        patience = Patience(PAUSES)
        while True:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    # a GET of one byte: an address that is signed for GET answers no HEAD
                    async with await self._get("bytes=0-0") as response:
                        found = _found(response)
            except _TROUBLES as trouble:
                await self._pause(patience, trouble)
            else:
                if self._stamp is not None and found.stamp != self._stamp:
                    raise changed(str(self._url))
                if not found.stamp.bytes:
                    raise self._empty()
                self._stamp = found.stamp
                return found

    async def fetch(self, start: int, end: int) -> bytes:
        """See `Origin`. Goes on where a broken connection has left off."""
        data = bytearray()
        patience = Patience(PAUSES)
        while start + len(data) < end:
            had = len(data)
            try:
                await self._read(data, start + had, end)
            except _TROUBLES as trouble:
                if len(data) > had:
                    patience.renew()
                await self._pause(patience, trouble)
        return bytes(data)

    async def whole(self) -> AsyncIterator[bytes]:
        """All of it from the beginning, once, piece by piece. Raises InputRefused, MachineError."""
        try:
            async with await self._get(None) as response:
                async for piece in response.content.iter_chunked(_PIECE):
                    yield piece
        except _TROUBLES as trouble:
            raise self._unreachable(trouble) from trouble

    async def _read(self, data: bytearray, start: int, end: int) -> None:
        async with await self._get(f"bytes={start}-{end - 1}") as response:
            found = _found(response)
            if found.stamp != self._stamp:
                raise changed(str(self._url))
            given = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if given is None or int(given[1]) != start:
                raise _Trouble("it has answered with another part than it was asked for")
            wanted = len(data) + end - start
            async for piece in response.content.iter_chunked(_PIECE):
                data += piece[: wanted - len(data)]
                if len(data) == wanted:
                    return
        raise _Trouble("it has broken off")

    async def _get(self, part: str | None) -> aiohttp.ClientResponse:
        """The answer to a GET, behind redirects, when it is a good one."""
        url = self._url
        for _ in range(MOST_REDIRECTS + 1):
            self._addresses.check_literal(url.host or "")
            at_home = url.origin() == self._url.origin()
            response = await self._session.get(
                url.with_user(None),
                headers={
                    **({} if part is None else {"Range": part}),
                    **(_authorization(self._url) if at_home else {}),
                },
                allow_redirects=False,
            )
            if response.status not in _REDIRECTS:
                try:
                    self._check_answer(response)
                except BaseException:
                    response.close()
                    raise
                return response
            response.close()
            url = self._redirected(url, response)
        raise InputRefused(
            f"{self._name} is redirected more than {MOST_REDIRECTS} times",
            where="input",
            remedy="give the address that it leads to",
        )

    def _redirected(self, url: URL, response: aiohttp.ClientResponse) -> URL:
        location = response.headers.get("Location", "")
        try:
            if location:
                return _parsed(str(url.join(_url(location))))
            said = "without saying where to"
        except ValueError as error:
            said = f"to what is no URL: {error}"
        raise InputRefused(
            f"{self._name} is redirected {said}",
            where="input",
            remedy="give the address that it leads to",
        )

    def _check_answer(self, response: aiohttp.ClientResponse) -> None:
        status = response.status
        if status in (200, 206):
            self._check_encoding(response)
            return
        said = f"{status} {response.reason or ''}".strip()
        if status in _LATER or status >= 500:
            raise _Trouble(f"it answers {said}", asked_seconds(response.headers, time.time()))
        if status == 416:
            raise self._empty()
        remedy = {
            401: "give a URL that has its user and password, or a signature, in it",
            403: "give a URL that may be read; a signed one may have expired",
        }.get(status, "check the URL")
        raise InputRefused(
            f"{self._name} cannot be read: the server answers {said}", where="input", remedy=remedy
        )

    def _check_encoding(self, response: aiohttp.ClientResponse) -> None:
        """Parts of a file that is sent compressed would be parts of something else."""
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding in _COMPRESSED:
            raise InputRefused(
                f"{self._name} is sent with Content-Encoding {encoding}, which was not asked for",
                where="input",
                remedy="have its server send it as it is",
            )

    async def _pause(self, patience: Patience, trouble: Exception) -> None:
        """Wait before another try. Raises MachineError after the last, InputRefused where another
        try is no use."""
        if isinstance(trouble, aiohttp.ClientConnectorCertificateError):
            raise InputRefused(
                f"{self._name} has a certificate that is not trusted here: "
                f"{trouble.certificate_error}",
                where="input",
                remedy="add its authority to those of the workers' machines",
            ) from trouble
        asked = trouble.asked_seconds if isinstance(trouble, _Trouble) else 0.0
        if (seconds := patience.pause(asked)) is None:
            raise self._unreachable(trouble) from trouble
        await asyncio.sleep(seconds)

    def _empty(self) -> InputRefused:
        return InputRefused(f"{self._name} is empty", where="input", remedy="name another file")

    def _unreachable(self, trouble: Exception) -> MachineError:
        said = str(trouble) or type(trouble).__name__
        return MachineError(f"{self._name} could not be read: {said}", where="input")

    @property
    def _name(self) -> str:
        return shown(str(self._url))


class _CheckedResolver(AbstractResolver):
    """Gives no address that may not be read from: a name with one such is refused as a whole."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._system = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        try:
            found = await self._system.resolve(host, port, family)
        except socket.gaierror as error:
            if error.errno in _NO_NAME:
                raise InputRefused(
                    f"there is no host {host}", where="input", remedy="check the URL"
                ) from None
            raise
        for each in found:
            self._addresses.check(host, each["host"])
        return found

    async def close(self) -> None:
        await self._system.close()


def _url(text: str) -> URL:
    """Raises ValueError. What is quoted stays as it is written: signatures may be of that."""
    return URL(text, encoded=bool(_AS_WRITTEN.fullmatch(text)))


def _parsed(url: str) -> URL:
    try:
        parsed = _url(url)
    except ValueError as error:
        raise InputRefused(f"it is no URL: {error}", where="input", remedy="check it") from None
    if parsed.scheme not in HTTP or not parsed.host:
        raise InputRefused(
            f"{shown(url)} leads away from http", where="input", remedy="give another URL"
        )
    return parsed


def _authorization(url: URL) -> dict[str, str]:
    if not url.user:
        return {}
    return {"Authorization": aiohttp.encode_basic_auth(url.user, url.password or "")}


def _found(response: aiohttp.ClientResponse) -> Found:
    headers = response.headers
    version = headers.get("ETag") or headers.get("Last-Modified") or ""
    total = _CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
    if response.status == 206 and total is not None:
        return Found(Stamp(int(total[3]), version), ranges=True)
    length = response.content_length
    return Found(Stamp(-1 if length is None else length, version), ranges=False)
