"""A real Prometheus for tests: its programs, a farm to scrape, and a server that scrapes it."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry, generate_latest

from serve.routes.metrics import ReadingsCollector
from tests.support.made_up_readings import made_up_readings
from tests.support.served import free_port
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[2]
UNPACKED = ROOT / ".tools" / "prometheus" / "usr" / "bin"
_HTTP = httpx.Client(timeout=10, verify=False)  # noqa: S501 - plain HTTP: spares reading certificates


def program(name: str) -> str:
    """`prometheus` or `promtool`, from the PATH or where scripts/install-test-services puts it."""
    found = shutil.which(name) or shutil.which(name, path=str(UNPACKED))
    assert found, f"{name} is not installed: run scripts/install-test-services"
    return found


def promtool(*arguments: str | Path) -> str:
    """What promtool printed. Fails the test, and shows that, when it finds a fault."""
    done = subprocess.run(
        [program("promtool"), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@contextmanager
def made_up_farm() -> Iterator[int]:
    """The port of a server whose `/metrics` is what the API would serve, and whose `/ray` has the
    same as Ray exports it. All values rise from scrape to scrape."""
    scrapes = count(1)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry = CollectorRegistry(auto_describe=False)
            registry.register(ReadingsCollector(made_up_readings(next(scrapes))))
            text = generate_latest(registry)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text if self.path == "/metrics" else as_ray_exports(text))

        def log_message(self, *_: object) -> None:
            """Prints nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def as_ray_exports(text: bytes) -> bytes:
    """Every name with `ray_` before it. tests/cluster/test_ray_metrics.py has the real export."""
    return text.replace(b"ffrtmp_", b"ray_ffrtmp_")


@contextmanager
def prometheus(config: dict[str, Any], folder: Path) -> Iterator[str]:
    """The address of a Prometheus that runs with `config` and keeps its data in `folder`."""
    address = f"127.0.0.1:{free_port()}"
    config_file, log = folder / "prometheus.yml", folder / "prometheus.log"
    config_file.write_text(json.dumps(config))  # JSON is YAML
    with log.open("w") as output:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={config_file}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        until(lambda: _is_ready(address) or _gone(process, log), 30)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def query(address: str, expr: str) -> list[dict[str, Any]]:
    """The series that Prometheus finds now."""
    result: list[dict[str, Any]] = _ask(address, "query", query=expr)["result"]
    return result


def label_values(address: str, metric: str, label: str) -> list[str]:
    """As Grafana asks for `label_values(metric, label)`."""
    values: list[str] = _ask(address, f"label/{label}/values", **{"match[]": metric})
    return values


def _ask(address: str, path: str, **parameters: str) -> Any:
    answer = _HTTP.get(f"http://{address}/api/v1/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def _is_ready(address: str) -> bool:
    try:
        return _HTTP.get(f"http://{address}/-/ready").is_success
    except httpx.TransportError:
        return False


def _gone(process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    return False
