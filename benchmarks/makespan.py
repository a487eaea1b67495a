"""Forty small files at once: how long until the last one is done?

    python -m benchmarks.makespan      # minutes; --files, --rounds, --beside; needs GNU parallel,
                                       # and Celery: uv sync --group benchmarks

The farm does them as jobs; beside it, in the same run, GNU parallel and a Celery worker run the
same encodes as ffmpeg commands of one thread, as many at a time as there are CPUs. The ideal is the
CPU time of parallel's commands, divided by the number of CPUs: what they would take if no CPU were
ever idle and nothing but encodes cost anything. The farm does more than they do: it looks at each
source, counts every frame, decodes a sample of each output and publishes it whole. What each kind
of the farm's processes takes is printed, too. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from benchmarks.costs import children_seconds, make_clip
from benchmarks.farm import farm, say
from benchmarks.kinds import Kind, seconds_by_kind
from ffrtmp_ray.client import Client
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.errors import Problem
from ffrtmp_ray.media import ffmpeg as programs
from ffrtmp_ray.media.encoders import Picture, encoder_for
from ffrtmp_ray.media.spec import Audio, Codec, Effort, JobSpec, Ladder, Rendition
from ffrtmp_ray.settings import Settings

SEED = 1
SIZES = ((640, 360), (854, 480), (1280, 720))
SECONDS = (5, 8, 12)
RENDITIONS = (
    Rendition(name="a", codec=Codec.H264, crf=23),
    Rendition(name="a", codec=Codec.H264, crf=23),
    Rendition(name="a", codec=Codec.HEVC, crf=26, effort=Effort.FAST),
    Rendition(name="a", codec=Codec.AV1, crf=35, effort=Effort.FAST),
)
RATE = 25
GOOD_ENOUGH = 1.10
"""Goal: the farm's makespan by the ideal one."""
LOOK_SECONDS = 2.0
"""Between two looks at a job, whose own times tell when it ended. Each takes from the CPUs that are
measured, of which nobody asks anything on the other side."""


@dataclass(frozen=True)
class File:
    clip: Path
    size: tuple[int, int]
    rendition: Rendition


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the makespan of many small files.")
    parser.add_argument("--files", type=int, default=40, help="(%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="of all three (%(default)s)")
    parser.add_argument(
        "--beside",
        nargs="*",
        choices=("celery", "farm"),
        default=("celery", "farm"),
        help="who does them beside GNU parallel, which gives the ideal (%(default)s)",
    )
    parser.add_argument(
        "--ideal",
        type=float,
        metavar="SECONDS",
        help="as another invocation on this machine has printed it; GNU parallel is not run",
    )
    wanted = parser.parse_args()
    if wanted.ideal is None and shutil.which("parallel") is None:
        sys.exit("GNU parallel is not installed: apt-get install parallel")
    os.environ["SVT_LOG"] = "1"  # errors alone: SVT-AV1 prints pages otherwise
    ffmpeg = programs.find(Settings().ffmpeg)
    with tempfile.TemporaryDirectory(prefix="ffrtmp-makespan-") as name:
        folder = Path(name).resolve()
        say(f"making clips for {wanted.files} files")
        files = make_files(ffmpeg, folder, wanted.files)
        with ExitStack() as stack:
            client = stack.enter_context(farm(folder)) if "farm" in wanted.beside else None
            send = stack.enter_context(celery_worker(folder)) if "celery" in wanted.beside else None
            rounds = [
                one_round(client, send, ffmpeg, folder / f"round-{turn}", files, wanted.ideal)
                for turn in range(wanted.rounds)
            ]
    report(files, rounds)


def make_files(ffmpeg: str, folder: Path, number: int) -> list[File]:
    """The same mix every time; files of one size and length share a clip."""
    dice = random.Random(SEED)  # noqa: S311  # not for secrets
    files = []
    for _ in range(number):
        size, seconds = dice.choice(SIZES), dice.choice(SECONDS)
        clip = folder / f"{size[1]}-{seconds}.mp4"
        if not clip.exists():
            make_clip(ffmpeg, clip, size, RATE, seconds)
        files.append(File(clip, size, dice.choice(RENDITIONS)))
    return files


Send = Callable[[Sequence[Sequence[str]]], None]
"""Has the Celery worker run commands, and returns when the last has ended."""


def one_round(
    client: Client | None,
    send: Send | None,
    ffmpeg: str,
    folder: Path,
    files: Sequence[File],
    ideal: float | None,
) -> dict[str, float]:
    """Seconds of each, and of the ideal; None takes no part. GNU parallel finds the ideal where it
    is not known."""
    by_hand = {name: folder / name for name in ("parallel", "celery")}
    for each in by_hand.values():
        each.mkdir(parents=True)
    argvs = {name: commands(ffmpeg, files, each) for name, each in by_hand.items()}
    if ideal is None:
        used = children_seconds()
        seconds = {"parallel": timed(lambda: run_parallel(argvs["parallel"]))}
        seconds["ideal"] = (children_seconds() - used) / (os.cpu_count() or 1)
        say(f"GNU parallel {seconds['parallel']:.1f} s, ideal {seconds['ideal']:.2f} s")
    else:
        seconds = {"ideal": ideal}
    if send is not None:
        seconds["celery"] = timed(lambda: send(argvs["celery"]))
    if client is not None:
        before = seconds_by_kind(folder.parent)
        seconds["farm"] = run_farm(client, files, folder)
        after = seconds_by_kind(folder.parent)
        cpu = {kind: (after[kind] - before[kind]) / (os.cpu_count() or 1) for kind in Kind}
        seconds |= {f"farm_{kind}": each for kind, each in cpu.items()}
        seconds["farm_cpu"] = sum(cpu.values())
    say(", ".join(f"{name} {value:.1f} s" for name, value in seconds.items()))
    return seconds


def commands(ffmpeg: str, files: Sequence[File], folder: Path) -> list[list[str]]:
    """One for each file, with one thread."""
    argvs = []
    for number, file in enumerate(files):
        encoder = encoder_for(file.rendition.codec, gpu=False)
        picture = Picture(*file.size, 8, Fraction(RATE))
        argvs.append(
            [
                *(ffmpeg, "-nostdin", "-v", "error", "-threads", "1", "-i", str(file.clip)),
                *encoder.arguments(file.rendition, picture, 1, None),
                *("-c:a", "aac", "-b:a", "128000", "-movflags", "+faststart"),
                str(folder / f"{number}.mp4"),
            ]
        )
    return argvs


def timed(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def run_parallel(argvs: Sequence[Sequence[str]]) -> None:
    lines = "\n".join(map(shlex.join, argvs))
    argv = ["parallel", "--will-cite", "-j", str(os.cpu_count() or 1)]
    subprocess.run(argv, input=lines, text=True, check=True, start_new_session=True)


def run_farm(client: Client, files: Sequence[File], folder: Path) -> float:
    """Seconds from submission to the last published output."""
    specs = [
        JobSpec(
            input=str(file.clip),
            output=str(folder / f"{number}.mp4"),
            ladder=Ladder(renditions=(file.rendition,), audio=Audio(bitrate=128_000)),
        )
        for number, file in enumerate(files)
    ]
    began = time.time()
    waiting = []
    for job in client.submit_many(specs):
        if isinstance(job, Problem):
            sys.exit(f"a job was refused: {job}")
        waiting.append(job.id)
    ended = began
    for job_id in waiting:
        view = client.wait(job_id, interval=LOOK_SECONDS)
        if view.state is not JobState.COMPLETED or view.finished_at is None:
            sys.exit(f"the job {view.state}: {view.failure and view.failure.reason}")
        ended = max(ended, view.finished_at)
    return ended - began


@contextmanager
def celery_worker(folder: Path) -> Iterator[Send]:
    """A worker of as many processes as there are CPUs, ready."""
    os.environ["MAKESPAN_FOLDER"] = str(folder / "celery")
    try:
        from benchmarks import celery_tasks
    except ModuleNotFoundError:
        sys.exit("Celery is not installed: uv sync --group benchmarks")
    argv = [sys.executable, "-m", "celery", "-A", "benchmarks.celery_tasks", "worker"]
    argv += ["-c", str(os.cpu_count() or 1), "--loglevel", "ERROR"]
    worker = subprocess.Popen(argv, start_new_session=True, stdout=subprocess.DEVNULL)

    def send(argvs: Sequence[Sequence[str]]) -> None:
        for result in [celery_tasks.run.delay(list(each)) for each in argvs]:
            result.get(timeout=3600, interval=0.1)

    try:
        send([["true"]])
        yield send
    finally:
        worker.terminate()
        worker.wait()


def report(files: Sequence[File], rounds: Sequence[dict[str, float]]) -> None:
    def ratio(name: str) -> float:
        return float(statistics.median(each[name] / each["ideal"] for each in rounds))

    result = {
        "files": len(files),
        "machine_cpus": os.cpu_count(),
        "load_average_1m": round(os.getloadavg()[0], 2),
        "rounds": len(rounds),
        "ideal_seconds_median": round(statistics.median(each["ideal"] for each in rounds), 2),
    }
    for name in ("farm", "farm_cpu", *(f"farm_{kind}" for kind in Kind), "parallel", "celery"):
        if name in rounds[0]:
            result[f"{name}_over_ideal_ratio_median"] = round(ratio(name), 4)
    if "farm" in rounds[0]:
        say(f"farm {ratio('farm'):.3f} of the ideal (goal {GOOD_ENOUGH})")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
