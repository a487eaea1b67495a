"""What the farm has to do: short clips, jobs of every class, and their submission.

A submission whose answer was lost is looked up before it is made again, as a careful user would.
"""

from __future__ import annotations

import random
import subprocess
import threading
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg

from ffrtmp_ray.client import Client
from ffrtmp_ray.core.model import Priority, Queue
from ffrtmp_ray.errors import Unavailable
from ffrtmp_ray.views import JobDetail, JobView

OWNER = "chaos"
NUMBER = "number"
"""The label by which a job is found again when the answer to its submission was lost."""
MAX_ATTEMPTS = 20
"""The hand is no fault of the job's: what it kills must not use up the job's attempts."""

CLIPS = {
    "plain": ("25", ["-c:v", "libx264", "-preset", "ultrafast"], True),
    "ntsc-b-frames": ("30000/1001", ["-c:v", "libx264", "-preset", "fast", "-bf", "3"], True),
    "silent": ("24", ["-c:v", "mpeg4", "-q:v", "4"], False),
}
"""Frames a second, encoder, and whether there is sound."""

H264 = {"name": "h264", "codec": "h264", "crf": 24, "effort": "thorough"}
HEVC = {"name": "hevc", "codec": "hevc", "crf": 26, "effort": "balanced"}
SMALL = {"name": "small", "codec": "h264", "crf": 30, "height": 90, "effort": "fast"}
LADDERS = ([H264], [HEVC], [HEVC], [H264, SMALL])


@dataclass(frozen=True)
class Entry:
    """One job that the farm has accepted."""

    job_id: str
    source: Path
    outputs: tuple[Path, ...]
    """The files that there should be."""


class Work:
    """A seeded stream of jobs. `submit` may be called from several threads."""

    def __init__(self, folder: Path, client: Client, rng: random.Random, seconds: float) -> None:
        self.out = folder / "out"
        self.out.mkdir()
        self.entries: list[Entry] = []
        self._client = client
        self._rng = rng
        self._lock = threading.Lock()
        self._count = 0
        self._clips = [make_clip(folder / f"{name}.mp4", name, seconds) for name in CLIPS]

    def submit(self) -> JobDetail | JobView:
        """Have the next job accepted, however often the farm has to be asked."""
        with self._lock:
            self._count += 1
            number = self._count
            source = self._rng.choice(self._clips)
            ladder = self._rng.choice(LADDERS)
            queue, priority = self._rng.choice(list(Queue)), self._rng.choice(list(Priority))
        single = len(ladder) == 1
        target = self.out / (f"{number}.mp4" if single else str(number))
        files = (target,) if single else tuple(target / f"{r['name']}.mp4" for r in ladder)
        spec = {
            "input": str(source),
            "output": str(target),
            "ladder": {"renditions": ladder},
            "queue": queue,
            "priority": priority,
            "owner": OWNER,
            "labels": {NUMBER: str(number)},
            "max_attempts": MAX_ATTEMPTS,
        }
        job = self._accepted(spec, str(number))
        with self._lock:
            self.entries.append(Entry(job.id, source, files))
        return job

    def jobs(self) -> list[JobView]:
        """All that the farm has of ours."""
        return list(self._client.jobs(owner=OWNER))

    def _accepted(self, spec: dict[str, Any], number: str) -> JobDetail | JobView:
        while True:
            try:
                return self._client.submit(spec)
            except Unavailable:
                time.sleep(0.1)
            if (known := self._known(number)) is not None:
                return known

    def _known(self, number: str) -> JobView | None:
        """The job of that number, if the farm has taken it; waits until it can say so."""
        while True:
            try:
                return next((j for j in self.jobs() if j.labels.get(NUMBER) == number), None)
            except Unavailable:
                time.sleep(0.1)


def make_clip(path: Path, name: str, seconds: float) -> Path:
    """A moving picture of 320x180 that ends with a whole frame."""
    rate, encode, sound = CLIPS[name]
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y"]
    argv += ["-f", "lavfi", "-i", f"testsrc2=s=320x180:r={rate}:d={seconds:g}"]
    if sound:
        argv += ["-f", "lavfi", "-i", f"sine=f=440:d={seconds:g}", "-c:a", "aac"]
    subprocess.run([*argv, *encode, "-pix_fmt", "yuv420p", str(path)], check=True)
    return path


def frame_times(path: Path) -> list[Fraction]:
    """The time of each frame that can be decoded, from the first one's on, in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = [frame.pts * stream.time_base for frame in container.decode(stream)]
    return [time - times[0] for time in times]
