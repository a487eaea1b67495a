"""What the tests of a real farm share: its processes, waiting on conditions, clips to encode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from ffrtmp_ray.cluster.driver import Farm
from ffrtmp_ray.cluster.fleet import WorkerHandle
from ffrtmp_ray.cluster.machines import Bundle
from ffrtmp_ray.cluster.slots import Node, Slot
from ffrtmp_ray.core.model import Worker
from ffrtmp_ray.media.spec import Codec, Effort, Ladder, Rendition
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.views import JobDetail
from tests.support.waiting import until as until


def quick_settings(state_dir: Path, root: Path, **more: Any) -> Settings:
    return Settings(
        state_dir=state_dir,
        input_roots=(root,),
        output_roots=(root,),
        backoff_base_seconds=0.1,
        poll_seconds=0.5,
        silence_seconds=3.0,
        **more,
    )


QUICK = Ladder(
    renditions=(Rendition(name="small", codec=Codec.H264, height=90, crf=35, effort=Effort.FAST),)
)
"""Takes a moment on a short clip."""

STEADY = Ladder(
    renditions=(Rendition(name="steady", codec=Codec.H264, crf=23, effort=Effort.THOROUGH),)
)
"""Takes a few seconds on a clip of fifteen: long enough to be killed, short enough to be done
again."""

SLOW = Ladder(
    renditions=(
        Rendition(name="large", codec=Codec.HEVC, height=None, crf=20, effort=Effort.THOROUGH),
    )
)
"""Takes many seconds on a long clip."""


class NoMachines:
    """A cluster that has no nodes."""

    def nodes(self) -> list[Node]:
        return []

    def create(self, worker: Worker, slot: Slot, settings: Settings) -> WorkerHandle:
        raise AssertionError("there is no slot")

    def find(self, worker_id: str) -> WorkerHandle | None:
        return None

    def unknown(self, known: set[str]) -> set[str]:
        return set()

    def kill(self, worker_id: str) -> None:
        raise AssertionError("there is no worker")

    def stand_by(self, settings: Settings) -> None:
        """There is no place for another scheduler."""

    def request(self, bundles: Sequence[Bundle]) -> None:
        raise AssertionError("nobody gives machines")


@dataclass(frozen=True)
class LocalFarm:
    """A farm whose Ray keeps its files in `ray_dir`."""

    farm: Farm
    settings: Settings
    ray_dir: Path

    def submit(
        self, source: Path, target: Path, ladder: Ladder = QUICK, **fields: Any
    ) -> JobDetail:
        return self.farm.submit(input=str(source), output=str(target), ladder=ladder, **fields)

    def completed(self, job_id: str, seconds: float = 60.0) -> JobDetail:
        job = self.farm.wait(job_id, timeout=seconds)
        assert job.failure is None, job.failure
        assert job.state == "completed"
        return job

    def actors(self, class_name: str) -> list[psutil.Process]:
        """The live processes of this Ray's actors of a class."""
        return [
            process
            for process in psutil.process_iter()
            if _title(process).startswith(f"ray::{class_name}") and self._is_ours(process)
        ]

    def scheduler(self) -> psutil.Process:
        """The process of the one that leads."""
        return psutil.Process(until(lambda: self.farm.ready().process))

    def worker(self) -> psutil.Process:
        return until(lambda: self.actors("WorkerActor"))[0]

    def ffmpegs(self) -> list[psutil.Process]:
        """Every ffmpeg below this farm's workers, whatever state it is in."""
        return [
            child
            for worker in self.actors("WorkerActor")
            for child in worker.children(recursive=True)
            if "ffmpeg" in _title(child)
        ]

    def encodings(self) -> list[psutil.Process]:
        """The ffmpegs that encode a picture now."""
        return [p for p in self.ffmpegs() if "libx26" in " ".join(_cmdline(p))]

    def encoding(self, seconds: float = 30.0) -> psutil.Process:
        """The first of them, when there is one."""
        return until(self.encodings, seconds)[0]

    def settle(self) -> None:
        """End what a failed test left, and see that no process of it stays."""
        for job in self.farm.list():
            if not job.state.terminal:
                self.farm.resume(job.id)
                self.farm.cancel(job.id)
        for worker in self.farm.workers():
            self.farm.drain(worker.id, on=False)
        until(lambda: not self.ffmpegs(), 20)

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            raylet = process.parent()
            return raylet is not None and str(self.ray_dir) in " ".join(raylet.cmdline())
        except psutil.Error:
            return False


def leftovers(settings: Settings, output_dir: Path, job_id: str) -> list[Path]:
    """Files of a job's attempts that should be gone: in the workspace, and staged beside outputs.

    Other jobs' are not looked at: what a canceled one has finished stays for a retry.
    """
    workspace = settings.workspace_dir / job_id
    in_workspace = [p for p in workspace.rglob("*") if p.is_file()] if workspace.exists() else []
    return in_workspace + [p for p in output_dir.iterdir() if p.name.startswith(".")]


def _title(process: psutil.Process) -> str:
    return " ".join(_cmdline(process))


def _cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
