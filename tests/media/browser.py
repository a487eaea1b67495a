"""Headless Chromium with hls.js, which plays a package and says how that went."""

from __future__ import annotations

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

TOOLS = Path(__file__).resolve().parents[2] / ".tools"
PAGE = Path(__file__).with_name("pages") / "play.html"
_UNPACKED = TOOLS / "chromium" / "usr" / "lib"
_OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--mute-audio",
    "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
_TIMEOUT = 100
"""Seconds."""


def play_in_chromium(
    folder: Path, profile: Path, wanted: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Play the package in `folder` in each of the ways that are `wanted`: the arguments of `play`
    in the page. `profile` is a folder for Chromium's own files."""
    with _serving(folder) as (address, reports):
        url = f"{address}/play.html#{quote(json.dumps(list(wanted)))}"
        with _chromium(url, profile):
            played: list[dict[str, Any]] = reports.get(timeout=_TIMEOUT)
            return played


class _Handler(SimpleHTTPRequestHandler):
    """Serves the package, the page and hls.js, and takes the page's report."""

    def __init__(self, *args: Any, reports: queue.Queue[Any], **options: Any) -> None:
        self._reports = reports
        super().__init__(*args, **options)

    def do_POST(self) -> None:  # http.server's name
        length = int(self.headers["Content-Length"])
        self._reports.put(json.loads(self.rfile.read(length)))
        self.send_response(204)
        self.end_headers()

    def translate_path(self, path: str) -> str:
        own = {"/play.html": PAGE, "/hls.min.js": TOOLS / "hls.js" / "hls.min.js"}
        return str(own[path]) if path in own else super().translate_path(path)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
        """Nothing: tests print what matters."""


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[str, queue.Queue[Any]]]:
    assert (TOOLS / "hls.js").is_dir(), "hls.js is missing: run scripts/install-test-services"
    reports: queue.Queue[Any] = queue.Queue()
    handler = partial(_Handler, reports=reports, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, name="package")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", reports
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def _chromium(url: str, profile: Path) -> Iterator[None]:
    unpacked = _UNPACKED / "chromium" / "chromium"
    program = shutil.which("chromium") or str(unpacked)
    assert Path(program).is_file(), "Chromium is missing: run scripts/install-test-services"
    libraries = sorted(_UNPACKED.glob("*-linux-gnu"))
    path = [str(each / inner) for each in libraries for inner in (".", "pulseaudio")]
    environment = {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(path)}
    process = subprocess.Popen(
        [program, *_OPTIONS, f"--user-data-dir={profile}", url],
        env=environment if program == str(unpacked) else None,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)
