"""Google Cloud Storage's XML API over HTTP on loopback, for tests.

It is moto's S3 with the names that Google gives to the same headers (Cloud Storage documentation,
"XML API: HTTP headers and query string parameters"): what emulators there are speak the JSON API,
which obstore does not use.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx
import pytest
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

_NUMBERS = count(1)
_SIGNED = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request"
"""Whose it is, as moto wants to read it, who looks at no signature."""
_OWN, _AMAZONS = "x-goog-meta-", "x-amz-meta-"


class _Renamed:
    """Amazon's names of headers before `app`, Google's before its callers."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        for name in [name for name in environ if name.startswith("HTTP_X_GOOG_META_")]:
            environ[name.replace("GOOG", "AMZ")] = environ.pop(name)
        if environ.pop("HTTP_X_GOOG_IF_GENERATION_MATCH", None) == "0":
            environ["HTTP_IF_NONE_MATCH"] = "*"

        environ["HTTP_AUTHORIZATION"] = _SIGNED

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            renamed = [(name.lower().replace(_AMAZONS, _OWN), value) for name, value in headers]
            return start_response(status, renamed, *rest)

        return self._app(environ, start)


@contextmanager
def google_server() -> Iterator[str]:
    """The URL of the endpoint."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app = _Renamed(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, True, request_handler=MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="google server")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def new_google_bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket's URL; sets the variables by which obstore reaches it."""
    account = {
        "gcs_base_url": endpoint,
        "disable_oauth": True,
        "client_email": "",
        "private_key": "",
        "private_key_id": "",
    }
    monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps(account))
    monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
    name = f"googlebucket{next(_NUMBERS)}"
    httpx.put(f"{endpoint}/{name}", timeout=60).raise_for_status()
    return f"gs://{name}"
