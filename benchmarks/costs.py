"""What an encode costs, as a job of a farm and as commands typed by hand, and a clip to encode."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from ffrtmp_ray.client import Client
from ffrtmp_ray.cluster import processes, record
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.views import JobDetail

LOOK_SECONDS = 0.5
"""Between two looks at a job. Asking often would itself take the CPUs that are measured."""


@dataclass(frozen=True)
class Cost:
    """Of one encode of a clip, in seconds."""

    wall: float
    cpu: float
    bytes: int
    """Of all that it made."""
    detail: JobDetail | None = None
    """Of a job."""

    @property
    def chunks(self) -> int:
        tasks = () if self.detail is None else self.detail.tasks
        return max(1, sum(task.kind == "encode" for task in tasks))


def measure_raw(commands: Sequence[Sequence[str]], output: Path) -> Cost:
    """Of commands, one after another, that make the file or the files in the folder `output`."""
    used, began = children_seconds(), time.monotonic()
    for argv in commands:
        # In a session of its own, as the farm is: a busy Linux shares its CPUs out among sessions
        # (sched(7), "The autogroup feature"), and one that others are in would get a smaller part.
        subprocess.run(argv, check=True, start_new_session=True)
    wall = time.monotonic() - began
    return Cost(wall, children_seconds() - used, size_of(output))


def measure_job(client: Client, folder: Path, spec: JobSpec) -> Cost:
    """Of a job of the farm whose state is below `folder`, from its submission to its output."""
    used, began = farm_seconds(folder), time.time()
    job = client.submit(spec)
    ended: JobDetail = client.wait(job.id, interval=LOOK_SECONDS)
    if ended.state is not JobState.COMPLETED or ended.finished_at is None:
        sys.exit(f"the job {ended.state}: {ended.failure and ended.failure.reason}")
    cpu = farm_seconds(folder) - used
    return Cost(ended.finished_at - began, cpu, size_of(Path(spec.output)), ended)


def timeline(job: JobDetail) -> str:
    """When each task of a job began and ended, in seconds from its submission."""
    lines = []
    for task in job.tasks:
        for attempt in task.attempts:
            began, ended = attempt.started_at or attempt.placed_at, attempt.ended_at or 0.0
            lines.append(f"  {began - job.submitted_at:7.2f} {ended - began:7.2f} s  {task.name}")
    return "\n".join(["   began    took", *sorted(lines)])


def children_seconds() -> float:
    """CPU time of the ended children of this process."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def farm_seconds(folder: Path) -> float:
    """CPU time of all the farm's processes, and of their children that have ended."""
    running = record.read(folder / "state")
    assert running is not None and running.started is not None  # noqa: S101, PT018 - it is up
    head = running.started
    total = 0.0
    for process in processes.of_head(head.mark, head.pid, head.created):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def idle_cpus(folder: Path, seconds: float) -> float:
    """CPUs that the farm whose state is below `folder` takes while it has nothing to do."""
    used, began = farm_seconds(folder), time.monotonic()
    time.sleep(seconds)
    return (farm_seconds(folder) - used) / (time.monotonic() - began)


def size_of(output: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = output.rglob("*") if output.is_dir() else (output,)
    return sum(file.stat().st_size for file in files if file.is_file())


def make_clip(
    ffmpeg: str,
    path: Path,
    size: tuple[int, int],
    rate: int,
    seconds: int,
    *,
    sound: bool = True,
) -> Path:
    """Moving shapes with grain, and a tone: work for the encoder, and the same every time."""
    picture = f"testsrc2=s={size[0]}x{size[1]}:r={rate}:d={seconds}"
    picture += ",noise=alls=3:allf=t:all_seed=1"
    argv = [ffmpeg, "-nostdin", "-v", "error", "-f", "lavfi", "-i", picture]
    if sound:
        argv += ["-f", "lavfi", "-i", f"sine=f=440:d={seconds}", "-c:a", "aac"]
    argv += ["-c:v", "libx264", "-g", "50", "-preset", "ultrafast", "-crf", "18"]
    subprocess.run([*argv, "-pix_fmt", "yuv420p", str(path)], check=True)
    return path
