"""One file, cut into chunks by the farm, beside the same work typed as one ffmpeg command.

    python -m benchmarks.chunked                  # --codec hevc, --codec av1, --help

Starts a farm of its own with `ffrtmp up` in a temporary folder, and ends it. Both sides of a pair
run after each other on the same machine, in turns, so that what else the machine does falls on
both. Times of the farm are from the call that submits a job to its published output. CPU time is of
all the farm's processes; what they take when there is nothing to do is measured before, and said
beside. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path

from benchmarks.costs import Cost, idle_cpus, make_clip, measure_job, measure_raw
from benchmarks.farm import farm, say
from ffrtmp_ray.client import Client
from ffrtmp_ray.media import ffmpeg as programs
from ffrtmp_ray.media.encoders import Picture, encoder_for
from ffrtmp_ray.media.spec import Audio, Codec, Effort, JobSpec, Ladder, Rendition
from ffrtmp_ray.settings import Settings

CRF = {Codec.H264: 23, Codec.HEVC: 26, Codec.AV1: 35}
SIZES = {360: 640, 480: 854, 720: 1280, 1080: 1920}
"""Widths of the clip, by its height."""
RATE = 25
IDLE_SECONDS = 10.0
"""For which the farm is looked at before it has anything to do."""
GOOD_ENOUGH = {Codec.H264: 0.97, Codec.HEVC: 1.00, Codec.AV1: 1.02}
"""Goals: the farm's wall time by that of raw ffmpeg, on two cores."""
CPU_GOAL = 1.05


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a job in chunks beside raw ffmpeg.")
    parser.add_argument("--codec", type=Codec, choices=list(CRF), default=Codec.H264)
    parser.add_argument("--effort", type=Effort, choices=list(Effort), default=Effort.BALANCED)
    parser.add_argument("--seconds", type=int, default=60, help="of the clip (%(default)s)")
    parser.add_argument("--height", type=int, choices=list(SIZES), default=480)
    parser.add_argument("--pairs", type=int, default=5, help="raw and job (%(default)s)")
    wanted = parser.parse_args()
    ffmpeg = programs.find(Settings().ffmpeg)
    rendition = Rendition(name="a", codec=wanted.codec, crf=CRF[wanted.codec], effort=wanted.effort)
    with tempfile.TemporaryDirectory(prefix="ffrtmp-chunked-") as name:
        folder = Path(name).resolve()
        width, height = SIZES[wanted.height], wanted.height
        say(f"making a clip of {wanted.seconds} s, {width}x{height}")
        clip = make_clip(ffmpeg, folder / "clip.mp4", (width, height), RATE, wanted.seconds)
        raw = partial(raw_argv, ffmpeg, clip, rendition, Picture(width, height, 8, Fraction(RATE)))
        with farm(folder) as client:
            idle = idle_cpus(folder, IDLE_SECONDS)
            say(f"the idle farm takes {idle:.3f} CPUs")
            pairs = measure(client, folder, clip, rendition, raw, wanted.pairs)
    report(wanted, rendition, idle, pairs)


# ------------------------------------------------------------------------------- what is compared


def measure(
    client: Client,
    folder: Path,
    clip: Path,
    rendition: Rendition,
    raw_command: Callable[[Path], list[str]],
    number: int,
) -> list[tuple[Cost, Cost]]:
    """Raw and job, after one pair that does not count; every second pair begins
    with the job."""
    pairs = []
    for turn in range(number + 1):
        raw_output, job_output = folder / f"raw-{turn}.mp4", folder / f"job-{turn}.mp4"
        if turn % 2:
            job = measure_job(client, folder, spec(clip, job_output, rendition))
            raw = measure_raw([raw_command(raw_output)], raw_output)
        else:
            raw = measure_raw([raw_command(raw_output)], raw_output)
            job = measure_job(client, folder, spec(clip, job_output, rendition))
        what = f"pair {turn}" if turn else "to warm up"
        say(
            f"{what}: raw {raw.wall:.2f} s ({raw.cpu:.2f} of CPU), job {job.wall:.2f} s "
            f"({job.cpu:.2f}) in {job.chunks} chunks, wall {job.wall / raw.wall:.3f}, "
            f"CPU {job.cpu / raw.cpu:.3f}, size {job.bytes / raw.bytes:.3f}"
        )
        pairs.append((raw, job))
    return pairs[1:]


def raw_argv(
    ffmpeg: str, clip: Path, rendition: Rendition, picture: Picture, output: Path
) -> list[str]:
    """The one command that a user would type: same encoder and settings, all CPUs, same file."""
    encoder = encoder_for(rendition.codec, gpu=False)
    return [
        *(ffmpeg, "-nostdin", "-v", "error", "-i", str(clip)),
        *encoder.arguments(rendition, picture, os.cpu_count() or 1, None),
        *("-c:a", "aac", "-b:a", "128000", "-movflags", "+faststart", str(output)),
    ]


def spec(clip: Path, output: Path, rendition: Rendition) -> JobSpec:
    ladder = Ladder(renditions=(rendition,), audio=Audio(bitrate=128_000))
    return JobSpec(input=str(clip), output=str(output), ladder=ladder)


def report(
    wanted: argparse.Namespace, rendition: Rendition, idle: float, pairs: list[tuple[Cost, Cost]]
) -> None:
    wall = statistics.median(job.wall / raw.wall for raw, job in pairs)
    cpu = statistics.median(job.cpu / raw.cpu for raw, job in pairs)
    own = statistics.median((job.cpu - idle * job.wall) / raw.cpu for raw, job in pairs)
    size = statistics.median(job.bytes / raw.bytes for raw, job in pairs)
    goal = GOOD_ENOUGH[rendition.codec]
    say(
        f"{rendition.codec}: wall {wall:.3f} (goal {goal}), CPU {cpu:.3f}, without what the farm "
        f"takes idle {own:.3f} (goal {CPU_GOAL}), size {size:.3f}"
    )
    result = {
        "codec": rendition.codec.value,
        "effort": rendition.effort.value,
        "clip_seconds": wanted.seconds,
        "clip_height_lines": wanted.height,
        "machine_cpus": os.cpu_count(),
        "load_average_1m": round(os.getloadavg()[0], 2),
        "pairs": len(pairs),
        "chunks": pairs[-1][1].chunks,
        "raw_seconds_median": round(statistics.median(raw.wall for raw, _ in pairs), 3),
        "raw_cpu_seconds_median": round(statistics.median(raw.cpu for raw, _ in pairs), 3),
        "job_seconds_median": round(statistics.median(job.wall for _, job in pairs), 3),
        "idle_farm_cpus": round(idle, 3),
        "job_over_raw_ratio_median": round(wall, 4),
        "job_over_raw_cpu_ratio_median": round(cpu, 4),
        "job_without_idle_over_raw_cpu_ratio_median": round(own, 4),
        "job_over_raw_size_ratio_median": round(size, 4),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
