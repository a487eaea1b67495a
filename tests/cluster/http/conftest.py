"""One farm for all tests of this folder, as a user starts it: `ffrtmp up`, then HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ffrtmp_ray.client import Client
from ffrtmp_ray.cluster import processes, record
from tests.cluster.http.farm import HttpFarm, ffrtmp
from tests.support.object_server import new_bucket
from tests.support.short_folder import short_folder


@pytest.fixture(scope="package")
def root() -> Iterator[Path]:
    with short_folder() as path:
        yield path


@pytest.fixture(scope="package")
def bucket(_s3: str) -> Iterator[str]:
    """The URL of a bucket; the environment names it as a root of outputs, and how it is reached."""
    with pytest.MonkeyPatch.context() as environment:
        url = new_bucket(_s3, environment)
        environment.setenv("FFRTMP_OUTPUT_ROOTS", json.dumps([url]))
        yield url


@pytest.fixture(scope="package")
def farm(root: Path, bucket: str, unused_tcp_port_factory: Callable[[], int]) -> Iterator[HttpFarm]:
    state = root / "state"
    options = ["--state-dir", str(state), "--root", str(root), "--port"]
    up = ffrtmp("up", *options, str(unused_tcp_port_factory()), "--cpus", "2", "--json")
    assert up.returncode == 0, up.stderr
    base = json.loads(up.stdout)["http"]
    with Client(base) as client:
        yield HttpFarm(base, state, client)
    marks = record.read(state)
    down = ffrtmp("down", "--state-dir", str(state))
    assert down.returncode == 0, down.stderr
    assert marks is not None
    assert marks.started is not None
    assert processes.marked(marks.started.mark) == [], "nothing of it is left"
