"""One file, cut into chunks by the farm, beside the same work typed as one ffmpeg command.

    python -m benchmarks.chunked                  # --codec hevc, --codec av1, --help

Starts a farm of its own with `ffrtmp up` in a temporary folder, and ends it. Both sides of a pair
run after each other on the same machine, in turns, so that what else the machine does falls on
both. Times of the farm are from the call that submits a job to its published output. The last line
is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from fractions import Fraction
from pathlib import Path

from benchmarks.costs import Cost, make_clip, measure_job, measure_raw
from benchmarks.farm import farm, say
from ffrtmp_ray.client import Client
from ffrtmp_ray.media import ffmpeg as programs
from ffrtmp_ray.media.encoders import Picture, encoder_for
from ffrtmp_ray.media.spec import Audio, Codec, Effort, JobSpec, Ladder, Rendition
from ffrtmp_ray.settings import Settings

CRF = {Codec.H264: 23, Codec.HEVC: 26, Codec.AV1: 35}
WIDTH, HEIGHT, RATE = 854, 480, 25
GOOD_ENOUGH = {Codec.H264: 0.97, Codec.HEVC: 1.00, Codec.AV1: 1.02}
"""Goals: the farm's wall time by that of raw ffmpeg, on two cores."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a job in chunks beside raw ffmpeg.")
    parser.add_argument("--codec", type=Codec, choices=list(CRF), default=Codec.H264)
    parser.add_argument("--effort", type=Effort, choices=list(Effort), default=Effort.BALANCED)
    parser.add_argument("--seconds", type=int, default=60, help="of the clip (%(default)s)")
    parser.add_argument("--pairs", type=int, default=5, help="raw and job (%(default)s)")
    wanted = parser.parse_args()
    ffmpeg = programs.find(Settings().ffmpeg)
    rendition = Rendition(name="a", codec=wanted.codec, crf=CRF[wanted.codec], effort=wanted.effort)
    with tempfile.TemporaryDirectory(prefix="ffrtmp-chunked-") as name:
        folder = Path(name).resolve()
        say(f"making a clip of {wanted.seconds} s, {WIDTH}x{HEIGHT}")
        clip = make_clip(ffmpeg, folder / "clip.mp4", (WIDTH, HEIGHT), RATE, wanted.seconds)
        with farm(folder) as client:
            pairs = measure(client, ffmpeg, folder, clip, rendition, wanted.pairs)
    report(wanted.seconds, rendition, pairs)


# ------------------------------------------------------------------------------- what is compared


def measure(
    client: Client, ffmpeg: str, folder: Path, clip: Path, rendition: Rendition, number: int
) -> list[tuple[Cost, Cost]]:
    """Raw and job, after one pair that does not count; every second pair begins
    with the job."""
    pairs = []
    for turn in range(number + 1):
        raw_output, job_output = folder / f"raw-{turn}.mp4", folder / f"job-{turn}.mp4"
        if turn % 2:
            job = measure_job(client, folder, spec(clip, job_output, rendition))
            raw = measure_raw([raw_argv(ffmpeg, clip, raw_output, rendition)], raw_output)
        else:
            raw = measure_raw([raw_argv(ffmpeg, clip, raw_output, rendition)], raw_output)
            job = measure_job(client, folder, spec(clip, job_output, rendition))
        what = f"pair {turn}" if turn else "to warm up"
        say(
            f"{what}: raw {raw.wall:.2f} s, job {job.wall:.2f} s in {job.chunks} chunks, "
            f"wall {job.wall / raw.wall:.3f}, CPU {job.cpu / raw.cpu:.3f}, "
            f"size {job.bytes / raw.bytes:.3f}"
        )
        pairs.append((raw, job))
    return pairs[1:]


def raw_argv(ffmpeg: str, clip: Path, output: Path, rendition: Rendition) -> list[str]:
    """The one command that a user would type: same encoder and settings, all CPUs, same file."""
    encoder = encoder_for(rendition.codec, gpu=False)
    picture = Picture(WIDTH, HEIGHT, 8, Fraction(RATE))
    return [
        *(ffmpeg, "-nostdin", "-v", "error", "-i", str(clip)),
        *encoder.arguments(rendition, picture, os.cpu_count() or 1, None),
        *("-c:a", "aac", "-b:a", "128000", "-movflags", "+faststart", str(output)),
    ]


def spec(clip: Path, output: Path, rendition: Rendition) -> JobSpec:
    ladder = Ladder(renditions=(rendition,), audio=Audio(bitrate=128_000))
    return JobSpec(input=str(clip), output=str(output), ladder=ladder)


def report(seconds: int, rendition: Rendition, pairs: list[tuple[Cost, Cost]]) -> None:
    wall = statistics.median(job.wall / raw.wall for raw, job in pairs)
    cpu = statistics.median(job.cpu / raw.cpu for raw, job in pairs)
    size = statistics.median(job.bytes / raw.bytes for raw, job in pairs)
    goal = GOOD_ENOUGH[rendition.codec]
    say(f"{rendition.codec}: wall {wall:.3f} (goal {goal}), CPU {cpu:.3f}, size {size:.3f}")
    result = {
        "codec": rendition.codec.value,
        "effort": rendition.effort.value,
        "clip_seconds": seconds,
        "machine_cpus": os.cpu_count(),
        "load_average_1m": round(os.getloadavg()[0], 2),
        "pairs": len(pairs),
        "chunks": pairs[-1][1].chunks,
        "raw_seconds_median": round(statistics.median(raw.wall for raw, _ in pairs), 3),
        "job_seconds_median": round(statistics.median(job.wall for _, job in pairs), 3),
        "job_over_raw_ratio_median": round(wall, 4),
        "job_over_raw_cpu_ratio_median": round(cpu, 4),
        "job_over_raw_size_ratio_median": round(size, 4),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
