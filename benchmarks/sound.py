"""What cutting a picture into chunks does to the sound beside it: nothing, to the sample.

    python -m benchmarks.sound      # --seconds, --chunks

A job of a farm of this machine, which is started and ended here, beside a plain ffmpeg encode of
the whole sound. Around every border of the picture's chunks a second of both is compared by
cross-correlation. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.farm import farm, say
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.media import ffmpeg as programs
from ffrtmp_ray.media.spec import Audio, Codec, Effort, JobSpec, Ladder, Rendition
from ffrtmp_ray.settings import Settings

RATE = 48_000
FRAME = 1024
"""Samples of an AAC frame: by so many the two may differ in length."""
BITRATE = 128_000
LEAST_LIKENESS = 0.99
"""Of a second of both: 1 is the same."""

Samples = NDArray[np.float32]


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare the sound of a cut job with the uncut.")
    parser.add_argument("--seconds", type=int, default=120, help="of the clip (%(default)s)")
    parser.add_argument("--chunks", type=int, default=6, help="of the picture (%(default)s)")
    wanted = parser.parse_args()
    ffmpeg = programs.find(Settings().ffmpeg)
    with tempfile.TemporaryDirectory(prefix="ffrtmp-sound-") as name:
        folder = Path(name).resolve()
        clip, whole, cut = (folder / each for each in ("clip.mkv", "whole.m4a", "cut.mp4"))
        say(f"making a clip of {wanted.seconds} s")
        make_clip(ffmpeg, clip, wanted.seconds)
        encoder = ("-vn", "-c:a", "aac", "-b:a", str(BITRATE))
        run(ffmpeg, "-i", str(clip), *encoder, str(whole))
        with farm(folder) as client:
            job = client.wait(client.submit(spec(clip, cut, wanted.chunks)).id)
        if job.state is not JobState.COMPLETED:
            sys.exit(f"the job {job.state}: {job.failure and job.failure.reason}")
        report(wanted.seconds, wanted.chunks, samples(ffmpeg, whole), samples(ffmpeg, cut))


def spec(clip: Path, output: Path, chunks: int) -> JobSpec:
    rendition = Rendition(name="a", codec=Codec.H264, crf=30, effort=Effort.FAST)
    ladder = Ladder(renditions=(rendition,), audio=Audio(bitrate=BITRATE))
    return JobSpec(input=str(clip), output=str(output), ladder=ladder, chunks=chunks)


def make_clip(ffmpeg: str, path: Path, seconds: int) -> None:
    """Noise, which is like itself at one place only."""
    sources = (
        f"testsrc2=size=160x90:rate=25:duration={seconds}",
        f"anoisesrc=color=pink:seed=7:amplitude=0.4:sample_rate={RATE}:duration={seconds}",
    )
    inputs = [word for source in sources for word in ("-f", "lavfi", "-i", source)]
    picture = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25")
    run(ffmpeg, *inputs, *picture, "-c:a", "pcm_s16le", str(path))


def run(ffmpeg: str, *arguments: str) -> bytes:
    argv = [ffmpeg, "-nostdin", "-v", "error", *arguments]
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout


def samples(ffmpeg: str, path: Path) -> Samples:
    heard = run(ffmpeg, "-i", str(path), "-map", "0:a", "-ac", "1", "-f", "f32le", "-")
    return np.frombuffer(heard, np.float32)


def lag_of(one: Samples, other: Samples) -> int:
    """Samples by which `other` is later, by the highest peak of their cross-correlation."""
    size = 2 * len(one)
    product = np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size))
    peak = int(np.argmax(np.fft.irfft(product, size)))
    return peak if peak < len(one) else peak - size


def likeness_of(one: Samples, other: Samples) -> float:
    return float(np.dot(one, other) / (np.linalg.norm(one) * np.linalg.norm(other)))


def report(seconds: int, chunks: int, whole: Samples, cut: Samples) -> None:
    middles = [border * seconds * RATE // chunks for border in range(1, chunks)]
    pairs = [(each[m - RATE // 2 : m + RATE // 2] for each in (whole, cut)) for m in middles]
    compared = [(lag_of(one, other), likeness_of(one, other)) for one, other in pairs]
    lag = max(abs(lag) for lag, _ in compared)
    likeness = min(likeness for _, likeness in compared)
    longer = len(cut) - len(whole)
    say(
        f"around {len(middles)} borders: {lag} samples apart at most (goal: 0), "
        f"alike to {likeness:.4f} at least ({LEAST_LIKENESS}); "
        f"{longer:+} samples long ({FRAME} at most)"
    )
    result = {
        "clip_seconds": seconds,
        "chunks": chunks,
        "samples_apart": lag,
        "likeness": round(likeness, 4),
        "samples_longer": longer,
        "as_good_as_promised": lag == 0 and likeness >= LEAST_LIKENESS and abs(longer) <= FRAME,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
