"""What benchmarks of a whole farm share: a farm of their own, a free port, words on the way."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.waiting import wait_until
from ffrtmp_ray.client import Client


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
            if json.loads(environment.get("FFRTMP_STANDBY", "true")):
                # the scheduler that stands by is the last of the farm to start
                wait_until(lambda: client.ready().standby, "a scheduler stands by", seconds=60)
            yield client
    finally:
        subprocess.run([program, "down", "--state-dir", state], check=True)


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
