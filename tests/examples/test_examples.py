"""The examples run as their users run them; `over_http.py` to its end, against a served API."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from serve.api import make_app
from tests.support.fake_gateway import FakeGateway
from tests.support.served import served

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.py"))
OVER_HTTP = next(path for path in EXAMPLES if path.name == "over_http.py")


def run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.name)
def test_an_example_says_how_it_is_used(script: Path) -> None:
    said = run(script, "--help")

    assert said.returncode == 0
    assert "usage:" in said.stdout


def test_over_http_follows_a_job_to_its_outputs() -> None:
    gateway = FakeGateway()
    output = {"path": "/out/a.mp4", "bytes": 1234, "video": "h264 640x360"}
    gateway.script = [
        {"state": "processing", "progress": 40.0, "eta_seconds": 3.0},
        {"state": "completed", "progress": 100.0, "outputs": [output]},
    ]
    with served(make_app(gateway)) as address:
        said = run(OVER_HTTP, "/in/a.mov", "/out/a.mp4", "--address", address)

    assert said.returncode == 0, said.stderr
    assert "processing  40.0 %" in said.stdout
    assert "/out/a.mp4: h264 640x360, 1234 bytes" in said.stdout


def test_over_http_says_why_a_job_failed() -> None:
    gateway = FakeGateway()
    failure = {"kind": "bad_input", "reason": "a.mov has no video"}
    gateway.script = [{"state": "failed", "progress": None, "failure": failure}]
    with served(make_app(gateway)) as address:
        said = run(OVER_HTTP, "/in/a.mov", "/out/a.mp4", "--address", address)

    assert said.returncode == 1
    assert said.stderr.strip() == "a.mov has no video"


def test_over_http_shows_what_was_wrong_with_a_request() -> None:
    gateway = FakeGateway()
    gateway.add(output="/out/a.mp4")
    with served(make_app(gateway)) as address:
        said = run(OVER_HTTP, "/in/a.mov", "/out/a.mp4", "--address", address)

    assert said.returncode == 1
    assert "/out/a.mp4 exists" in said.stderr
