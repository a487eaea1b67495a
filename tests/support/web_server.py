"""A real web server on loopback, with a file in it and the faults of servers, for tests."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Site:
    """What the server holds, what it does wrong, and what it was asked."""

    files: dict[str, Path] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    etag: str = '"1"'
    headers: dict[str, str] = field(default_factory=dict)
    """More of each file."""
    authorization: str | None = None
    """What the header of that name must be."""
    statuses: list[int] = field(default_factory=list)
    """Given in place of the next answers."""
    retry_after: str | None = None
    """Said by those."""
    break_after: list[int] = field(default_factory=list)
    """Of each of the next answers, the bytes after which the connection is broken."""
    hold: threading.Event | None = None
    """Half of each file is sent, and the rest once this is set."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and `Range` of every request."""
    asked_at: list[float] = field(default_factory=list)
    """Seconds on a clock of its own, of each of these."""
    sent: int = 0
    """Bytes of bodies."""
    address: str = ""

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.address.replace('127.0.0.1', host)}{path}"


@contextmanager
def web_server(host: str = "127.0.0.1") -> Iterator[Site]:
    """`host` is an address of the loopback, of IPv4 or IPv6."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            _answer(self, site)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

    server = Server((host, 0), Handler)
    name = f"[{host}]" if ":" in host else host
    site.address = f"http://{name}:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="web server")
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, site: Site) -> None:
    site.asked.append((request.path, request.headers.get("Range")))
    site.asked_at.append(time.monotonic())
    if site.statuses:
        later = {} if site.retry_after is None else {"Retry-After": site.retry_after}
        return _empty(request, site.statuses.pop(0), **later)
    if (
        site.authorization is not None
        and request.headers.get("Authorization") != site.authorization
    ):
        return _empty(request, 401)
    if request.path in site.redirects:
        return _empty(request, 302, Location=site.redirects[request.path])
    path = site.files.get(request.path.partition("?")[0])
    if path is None:
        return _empty(request, 404)
    return _send(request, site, path.read_bytes())


def _empty(request: BaseHTTPRequestHandler, status: int, **headers: str) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": "0", **headers}.items():
        request.send_header(name, value)
    request.end_headers()


def _send(request: BaseHTTPRequestHandler, site: Site, data: bytes) -> None:
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
    start, end = 0, len(data)
    request.send_response(206 if wanted and site.ranges else 200)
    if wanted and site.ranges:
        start, end = int(wanted[1]), min(int(wanted[2] or len(data) - 1) + 1, len(data))
        request.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(data)}")
    request.send_header("Content-Length", str(end - start))
    for name, value in {"ETag": site.etag, **site.headers}.items():
        request.send_header(name, value)
    body = data[start:end]
    broken = site.break_after and len(body) > 1
    if broken:
        body = body[: site.break_after.pop(0)]
        request.close_connection = True
    site.sent += len(body)  # counted before the reader, who may want the headers alone, goes on
    request.end_headers()
    half = len(body) // 2 if site.hold is not None else 0
    try:
        request.wfile.write(body[:half])
        if site.hold is not None:
            request.wfile.flush()
            site.hold.wait(30)
        request.wfile.write(body[half:])
    except ConnectionError:  # the reader has seen enough
        request.close_connection = True
