"""What benchmarks of a whole farm share: a farm of their own, a free port, words on the way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ffrtmp_ray.client import Client
from ffrtmp_ray.settings import Settings

SETTLED_SECONDS = 60.0


@contextmanager
def farm(folder: Path, **settings: str) -> Iterator[Client]:
    """A farm of this machine, ready, which may read and write below `folder`; `settings` are by the
    names of their variables. It keeps no chunks for other jobs: each is to do its own work. It ends
    with this process, be it by a signal."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
    program = str(Path(sys.executable).with_name("ffrtmp"))
    state = folder / "state"
    say("starting a farm")
    try:
        up = ("up", "--state-dir", state, "--root", folder, "--port", str(free_port()), "--json")
        environment = {**os.environ, "FFRTMP_CHUNK_STORE_BYTES": "0", **settings}
        printed = subprocess.run(
            [program, *up], check=True, stdout=subprocess.PIPE, text=True, env=environment
        )
        with Client(json.loads(printed.stdout)["http"]) as client:
            if Settings().standby:
                _wait_until_settled(client)
            yield client
    finally:
        subprocess.run([program, "down", "--state-dir", state], check=True)


def _wait_until_settled(client: Client) -> None:
    """Until nothing of the farm is still starting: the scheduler that stands by is the last."""
    end = time.monotonic() + SETTLED_SECONDS
    while not client.ready().standby:
        if time.monotonic() > end:
            raise TimeoutError(f"no scheduler stood by within {SETTLED_SECONDS:g} s")
        time.sleep(0.5)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def drain_workers(client: Client) -> None:
    """Have jobs wait: what is measured is their way into the queue, and no ffmpeg."""
    for worker in client.workers():
        client.drain(worker.id)


def say(text: str) -> None:
    print(text, flush=True)
