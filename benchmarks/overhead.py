"""What a job costs over the same work typed as one ffmpeg command, and how soon it starts.

    python -m benchmarks.overhead

Starts a farm of its own with `ffrtmp up` in a temporary folder, and ends it. Both sides of a pair
run after each other on the same machine, in turns, so that what else the machine does falls on
both; what counts is the difference within a pair. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from benchmarks.farm import farm, say
from ffrtmp_ray.client import Client
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.media import ffmpeg as programs
from ffrtmp_ray.media import presets
from ffrtmp_ray.media.audio_encoders import AUDIO_ENCODERS
from ffrtmp_ray.media.encoders import Picture, encoder_for
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.views import JobDetail

PRESET = "h264-480p"
WIDTH, HEIGHT, RATE = 854, 480, 25
"""Small, for what else a machine does shows in proportion to the time that a pair takes: with
720p it moved the pairs of a quiet machine by two seconds, more than what is measured."""
SHORT_SECONDS = 2
LOOK_SECONDS = 0.5
"""Between two looks at a job. Asking often would itself take the CPUs that are measured."""


@dataclass(frozen=True)
class Pair:
    """Seconds that the same clip took."""

    raw: float
    job: float
    """From the call that submits it to its end."""

    @property
    def overhead(self) -> float:
        return self.job - self.raw


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a job's overhead over raw ffmpeg.")
    parser.add_argument("--seconds", type=int, default=60, help="of the clip (%(default)s)")
    parser.add_argument("--pairs", type=int, default=9, help="raw and job (%(default)s)")
    parser.add_argument("--starts", type=int, default=15, help="idle submissions (%(default)s)")
    wanted = parser.parse_args()
    ffmpeg = programs.find(Settings().ffmpeg)
    with tempfile.TemporaryDirectory(prefix="ffrtmp-overhead-") as name:
        folder = Path(name).resolve()
        say(f"making clips of {wanted.seconds} s and {SHORT_SECONDS} s, {WIDTH}x{HEIGHT}")
        clip = make_clip(ffmpeg, folder / "clip.mp4", wanted.seconds)
        short = make_clip(ffmpeg, folder / "short.mp4", SHORT_SECONDS)
        with farm(folder) as client:
            cpus = granted_cpus(client)
            pairs = measure_pairs(client, ffmpeg, clip, wanted.pairs, cpus)
            starts = measure_starts(client, short, wanted.starts)
    report(wanted.seconds, cpus, pairs, starts)


# ------------------------------------------------------------------------------- what is compared


def measure_pairs(client: Client, ffmpeg: str, clip: Path, number: int, cpus: int) -> list[Pair]:
    """After one of each that does not count; every second pair begins with the job."""
    pairs = []
    for turn in range(number + 1):
        raw_output = clip.with_name(f"raw-{turn}.mp4")
        job_output = clip.with_name(f"job-{turn}.mp4")
        if turn % 2:
            job = time_job(client, clip, job_output)
            raw = time_raw(ffmpeg, clip, raw_output, cpus)
        else:
            raw = time_raw(ffmpeg, clip, raw_output, cpus)
            job = time_job(client, clip, job_output)
        pair = Pair(raw, job)
        what = f"pair {turn}" if turn else "to warm up"
        say(f"{what}: raw {raw:.2f} s, job {job:.2f} s, {pair.overhead:+.2f} s")
        pairs.append(pair)
    return pairs[1:]


def time_raw(ffmpeg: str, clip: Path, output: Path, cpus: int) -> float:
    began = time.monotonic()
    # In a session of its own, as the farm is: a busy Linux shares its CPUs out among sessions
    # (sched(7), "The autogroup feature"), and one that others are in would get a smaller part.
    subprocess.run(raw_argv(ffmpeg, clip, output, cpus), check=True, start_new_session=True)
    return time.monotonic() - began


def raw_argv(ffmpeg: str, clip: Path, output: Path, cpus: int) -> list[str]:
    """The one command that a user would type: same encoder and settings, same sound, same file."""
    ladder = presets.load(PRESET).ladder
    (rendition,) = ladder.renditions
    assert ladder.audio is not None  # noqa: S101 - the preset has sound
    encoder = encoder_for(rendition.codec, gpu=False)
    picture = Picture(WIDTH, HEIGHT, 8, Fraction(RATE))
    return [
        *(ffmpeg, "-nostdin", "-v", "error", "-i", str(clip), "-vf", f"scale={WIDTH}:{HEIGHT}"),
        *encoder.arguments(rendition, picture, cpus, None),
        *("-c:a", AUDIO_ENCODERS[ladder.audio.codec].name, "-b:a", str(ladder.audio.bitrate)),
        *("-movflags", "+faststart", str(output)),
    ]


def time_job(client: Client, clip: Path, output: Path) -> float:
    """From before it is submitted to the end that the farm has noted: one machine, one clock."""
    began = time.time()
    ended = run_job(client, clip, output)
    assert ended.finished_at is not None  # noqa: S101 - it is completed
    return ended.finished_at - began


def run_job(client: Client, clip: Path, output: Path) -> JobDetail:
    job = client.submit(JobSpec(input=str(clip), output=str(output), preset=PRESET, chunks=1))
    ended = client.wait(job.id, interval=LOOK_SECONDS)
    if ended.state is not JobState.COMPLETED:
        sys.exit(f"the job {ended.state}: {ended.failure and ended.failure.reason}")
    return ended


def measure_starts(client: Client, clip: Path, number: int) -> list[float]:
    """Seconds from acceptance to the first ffmpeg, on a farm that has nothing else to do."""
    starts = []
    for turn in range(number):
        job = run_job(client, clip, clip.with_name(f"start-{turn}.mp4"))
        begun = [
            attempt.started_at
            for task in job.tasks
            if task.kind in ("encode", "audio")
            for attempt in task.attempts
            if attempt.started_at is not None
        ]
        starts.append(min(begun) - job.submitted_at)
    return starts


# ---------------------------------------------------------------------------------- what it needs


def granted_cpus(client: Client) -> int:
    """What an encode gets on an idle worker: what it wants at most, halved until it fits."""
    has = max(worker.cpus for worker in client.workers())
    cpus = Settings().encode_cpus
    while cpus > has:
        cpus //= 2
    return cpus


def make_clip(ffmpeg: str, path: Path, seconds: int) -> Path:
    """Moving shapes with grain, and a tone: work for the encoder, and the same every time."""
    picture = f"testsrc2=s={WIDTH}x{HEIGHT}:r={RATE}:d={seconds},noise=alls=6:allf=t:all_seed=1"
    argv = [ffmpeg, "-nostdin", "-v", "error", "-f", "lavfi", "-i", picture]
    argv += ["-f", "lavfi", "-i", f"sine=f=440:d={seconds}", "-c:v", "libx264"]
    argv += ["-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path)]
    subprocess.run(argv, check=True)
    return path


def report(seconds: int, cpus: int, pairs: list[Pair], starts: list[float]) -> None:
    ratio = statistics.median(pair.job / pair.raw for pair in pairs)
    overhead = statistics.median(pair.overhead for pair in pairs)
    start = statistics.median(starts)
    say(
        f"a job takes {ratio:.3f} times as long as the raw command, {overhead:+.2f} s; "
        f"its first ffmpeg starts after {start * 1000:.0f} ms, at most {max(starts) * 1000:.0f} ms"
    )
    result = {
        "clip_seconds": seconds,
        "cpus": cpus,
        "machine_cpus": os.cpu_count(),
        "load_average_1m": round(os.getloadavg()[0], 2),
        "pairs": len(pairs),
        "raw_seconds_median": round(statistics.median(pair.raw for pair in pairs), 3),
        "job_seconds_median": round(statistics.median(pair.job for pair in pairs), 3),
        "job_over_raw_ratio_median": round(ratio, 4),
        "overhead_seconds_median": round(overhead, 3),
        "overhead_seconds_max": round(max(pair.overhead for pair in pairs), 3),
        "starts": len(starts),
        "first_ffmpeg_seconds_median": round(start, 4),
        "first_ffmpeg_seconds_max": round(max(starts), 4),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
