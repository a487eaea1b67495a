"""One file encoded by 1, 2, 4 and 8 workers, each of which may take a fifth of a CPU.

    python -m benchmarks.scaling                  # --workers 8 for one of these, --help

Real are Ray, the scheduler, the workers and their ffmpegs; made up is that one machine is as many
nodes as there are workers. A control group of the kernel holds each worker, with all that it
starts, to its part of a CPU, so that a machine of two has room for eight. Needs Linux, and root.

The file has no sound: that is one task, which nobody can share. All numbers of workers get it in
as many chunks, which the product makes shorter to the end. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.costs import make_clip
from benchmarks.farm import say
from benchmarks.quota import Quota
from benchmarks.small_workers import small_workers
from ffrtmp_ray.cluster.driver import Farm
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.media import ffmpeg as programs
from ffrtmp_ray.media.spec import Codec, Effort, JobSpec, Ladder, Rendition
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.views import JobDetail

NUMBERS = (1, 2, 4, 8)
"""Of workers."""
GOAL = 0.90
"""Of what as many workers would do if nothing were lost, by our own time with one."""
SIZE, RATE = (320, 180), 25
LADDER = Ladder(renditions=(Rendition(name="a", codec=Codec.H264, crf=23, effort=Effort.BALANCED),))
WARM_UP_SECONDS = 2
"""Of the clip that each worker has encoded before: what a worker loads, it loads once."""


@dataclass(frozen=True)
class Run:
    """The job on so many workers, in seconds from its submission."""

    workers: int
    chunks: int
    planned: float
    """Until its first encode began."""
    encoded: float
    """Until its last encode had ended."""
    published: float
    cpu: float
    """CPU time of all workers and of what they started."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure one job on more and more workers.")
    parser.add_argument(
        "--workers", type=int, nargs="+", default=NUMBERS, help="how many, in turn (%(default)s)"
    )
    parser.add_argument("--share", type=float, default=0.2, help="of a CPU, each (%(default)s)")
    parser.add_argument("--seconds", type=int, default=480, help="of the clip (%(default)s)")
    parser.add_argument("--chunks", type=int, default=32, help="of the job (%(default)s)")
    parser.add_argument(
        "--one", type=float, help="seconds on one worker, where an earlier run has measured them"
    )
    wanted = parser.parse_args()
    if max(wanted.workers) * wanted.share > (os.cpu_count() or 1):
        sys.exit(f"{max(wanted.workers)} workers of {wanted.share} CPUs are more than there are")
    ffmpeg = programs.find(Settings().ffmpeg)
    with tempfile.TemporaryDirectory(prefix="ff-scale-") as name:
        folder = Path(name).resolve()
        say(f"making a clip of {wanted.seconds} s, {SIZE[0]}x{SIZE[1]}")
        for path, seconds in (
            (folder / "clip.mp4", wanted.seconds),
            (folder / "warm.mp4", WARM_UP_SECONDS),
        ):
            make_clip(ffmpeg, path, SIZE, RATE, seconds, sound=False)
        runs = [measure(folder, number, wanted.share, wanted.chunks) for number in wanted.workers]
    report(wanted, runs)


def measure(folder: Path, number: int, share: float, chunks: int) -> Run:
    """On so many workers, which have done a short job or two before."""
    state = folder / str(number)
    state.mkdir()
    say(f"starting {number} workers")
    with (
        Quota(f"ffrtmp-scaling-{os.getpid()}", share) as quota,
        small_workers(state, folder, number) as (farm, pids),
    ):
        warm = [state / f"warm-{place}.mp4" for place in range(2 * number)]
        farm.submit_many([spec(folder / "warm.mp4", path, 1) for path in warm])
        for job in list(farm.list()):
            ended(farm, job.id)
        for place, pid in enumerate(pids):
            quota.hold(f"worker-{place}", pid)
        used = sum(map(cpu_seconds, pids))
        job = ended(farm, farm.submit(spec(folder / "clip.mp4", state / "out.mp4", chunks)).id)
        run = run_of(job, number, sum(map(cpu_seconds, pids)) - used)
    say(
        f"{run.workers} workers: {run.published:.2f} s in {run.chunks} chunks, of which encodes "
        f"from {run.planned:.2f} s to {run.encoded:.2f} s; {run.cpu:.2f} s of CPU, "
        f"{run.cpu / (number * share * run.published):.3f} of what they may take"
    )
    return run


def spec(clip: Path, output: Path, chunks: int) -> JobSpec:
    return JobSpec(input=str(clip), output=str(output), ladder=LADDER, chunks=chunks)


def ended(farm: Farm, job_id: str) -> JobDetail:
    job = farm.wait(job_id)
    if job.state is not JobState.COMPLETED:
        sys.exit(f"the job {job.state}: {job.failure and job.failure.reason}")
    return job


def cpu_seconds(pid: int) -> float:
    """Of a process, of its children, and of those of them that have ended."""
    process = psutil.Process(pid)
    return sum(sum(each.cpu_times()[:4]) for each in (process, *process.children(recursive=True)))


def run_of(job: JobDetail, workers: int, cpu: float) -> Run:
    encodes = [attempt for task in job.tasks if task.kind == "encode" for attempt in task.attempts]
    began = [attempt.started_at for attempt in encodes if attempt.started_at is not None]
    over = [attempt.ended_at for attempt in encodes if attempt.ended_at is not None]
    assert job.finished_at is not None  # noqa: S101 - it is completed
    return Run(
        workers=workers,
        chunks=len(encodes),
        planned=min(began) - job.submitted_at,
        encoded=max(over) - job.submitted_at,
        published=job.finished_at - job.submitted_at,
        cpu=cpu,
    )


def report(wanted: argparse.Namespace, runs: Sequence[Run]) -> None:
    """`linear_ratio` is the time on one worker by that on n workers and by n."""
    one = next((run.published for run in runs if run.workers == 1), wanted.one)
    ratios = {} if one is None else {run.workers: one / run.workers / run.published for run in runs}
    for number, ratio in ratios.items():
        say(f"{number} workers: {ratio:.3f} of linear (goal {GOAL})")
    result = {
        "clip_seconds": wanted.seconds,
        "worker_cpus": wanted.share,
        "machine_cpus": os.cpu_count(),
        "load_average_1m": round(os.getloadavg()[0], 2),
        "chunks": runs[-1].chunks,
        "seconds_on_one_worker": one and round(one, 3),
        **{f"seconds_on_{run.workers}": round(run.published, 3) for run in runs},
        **{f"cpu_seconds_on_{run.workers}": round(run.cpu, 3) for run in runs},
        **{f"linear_ratio_on_{number}": round(ratio, 4) for number, ratio in ratios.items()},
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
