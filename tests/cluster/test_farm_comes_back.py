"""A farm that is upgraded, taken down, asked to end or killed whole, and brought up again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from ffrtmp_ray.client import Client
from ffrtmp_ray.cluster import processes, record
from ffrtmp_ray.cluster.record import LocalRay
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.views import JobDetail
from tests.cluster.farms import STEADY, until
from tests.cluster.media import frame_times, make_clip
from tests.support.short_folder import short_folder

pytestmark = pytest.mark.timeout(400)  # each start of Ray and Serve takes many CPU seconds

FFRTMP = Path(sys.executable).with_name("ffrtmp")
NEWER = "99.0.0"


@dataclass(frozen=True)
class Machine:
    folder: Path
    port: int
    client: Client
    clip: Path

    @property
    def state_dir(self) -> Path:
        return self.folder / "state"

    @property
    def installed(self) -> Path:
        """Stands before what is installed, for all processes of the farm."""
        return self.folder / "installed"

    @property
    def head(self) -> LocalRay:
        found = record.read(self.state_dir)
        assert found is not None
        assert found.started is not None
        return found.started

    def ffrtmp(self, *arguments: str) -> None:
        ended = subprocess.run(
            [str(FFRTMP), *arguments, "--state-dir", str(self.state_dir)],
            capture_output=True,
            text=True,
            check=False,
            # A suspended ffmpeg stalls; these tests suspend one for as long as `up` takes.
            env=os.environ | {"PYTHONPATH": str(self.installed), "FFRTMP_STALL_SECONDS": "300"},
        )
        assert ended.returncode == 0, ended.stderr

    def up(self) -> None:
        here = ["--root", str(self.folder), "--port", str(self.port), "--cpus", "2"]
        self.ffrtmp("up", *here, "--timeout", "200")

    def down(self) -> None:
        self.ffrtmp("down")

    def processing(self, name: str) -> JobDetail:
        """A new job, of which an ffmpeg runs."""
        spec = JobSpec(input=str(self.clip), output=str(self.folder / name), ladder=STEADY)
        job = self.client.submit(spec)
        until(self.ffmpegs, 60)
        until(lambda: self.client.job(job.id).state == "processing", 60)
        return job

    def completed(self, job_id: str) -> JobDetail:
        job = self.client.wait(job_id, timeout=200)
        assert job.state == "completed", job.failure
        assert frame_times(Path(job.output)) == frame_times(self.clip)
        return job

    def ffmpegs(self) -> list[psutil.Process]:
        """Those that encode a picture."""
        return [
            process
            for process in processes.marked(self.head.mark)
            if process.name().startswith("ffmpeg") and "libx264" in process.cmdline()
        ]


@pytest.fixture(scope="module")
def _machine(unused_tcp_port_factory: Callable[[], int]) -> Iterator[Machine]:
    port = unused_tcp_port_factory()
    with short_folder() as folder, Client(f"http://127.0.0.1:{port}") as client:
        clip = make_clip(folder / "clip.mp4", seconds=15, size="640x360")
        machine = Machine(folder, port, client, clip)
        machine.installed.mkdir()
        try:
            yield machine
        finally:
            machine.down()


@pytest.fixture
def machine(_machine: Machine) -> Machine:
    """The module's, with its farm up."""
    if record.read(_machine.state_dir) is None:
        _machine.up()
    return _machine


def encodes(job: JobDetail) -> list[list[str | None]]:
    return [[a.outcome for a in task.attempts] for task in job.tasks if task.kind == "encode"]


def test_a_newer_version_takes_the_older_ones_place_and_what_runs_goes_on(
    machine: Machine,
) -> None:
    job = machine.processing("upgraded.mp4")
    ffmpegs, epoch = machine.ffmpegs(), machine.client.ready().epoch
    for ffmpeg in ffmpegs:
        ffmpeg.suspend()  # so that it has not ended before the upgrade has
    newer = machine.installed / f"ffrtmp_ray-{NEWER}.dist-info"
    newer.mkdir()
    (newer / "METADATA").write_text(f"Metadata-Version: 2.1\nName: ffrtmp-ray\nVersion: {NEWER}\n")

    machine.up()

    assert epoch is not None
    assert machine.client.ready().epoch == epoch + 1
    with closing(sqlite3.connect(machine.state_dir / "ffrtmp.db")) as store:
        assert store.execute("SELECT version FROM scheduler").fetchall() == [(NEWER,)]
    for ffmpeg in ffmpegs:
        assert ffmpeg.is_running(), "it was taken over"
        ffmpeg.resume()
    assert all(outcomes == ["succeeded"] for outcomes in encodes(machine.completed(job.id)))


def test_down_is_quick_and_jobs_go_on_at_the_next_up(machine: Machine) -> None:
    job = machine.processing("down.mp4")
    began = time.monotonic()
    machine.down()
    assert time.monotonic() - began < 10
    machine.up()
    machine.completed(job.id)


@pytest.mark.long  # Ray takes half a minute to end when it is asked to
def test_jobs_go_on_after_ray_was_asked_to_end(machine: Machine) -> None:
    job, mark = machine.processing("asked.mp4"), machine.head.mark
    os.kill(machine.head.pid, signal.SIGTERM)
    until(lambda: not processes.is_head(machine.head.pid, machine.head.created), 60)
    until(lambda: not [p for p in processes.marked(mark) if p.name().startswith("ffmpeg")], 30)
    machine.up()
    machine.completed(job.id)
    assert processes.marked(mark) == [], "nothing of the old one is left"


def test_jobs_go_on_after_everything_was_killed(machine: Machine) -> None:
    job, head = machine.processing("killed.mp4"), machine.head
    for process in processes.of_head(head.mark, head.pid, head.created):
        with suppress(psutil.NoSuchProcess):  # its parent's end was its own
            process.kill()
    machine.up()
    machine.completed(job.id)
    assert processes.marked(head.mark) == [], "nothing of the old one is left"
