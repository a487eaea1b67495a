"""The sound of a job that is cut: no gap and no drift where the picture's chunks are joined."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ffrtmp_ray.media.toolbox import Toolbox
from tests.media.encoding import run
from tests.media.pipeline import assert_published, encodes_of, rendition, run_job, spec

RATE = 48000
SECONDS = 6
CHUNKS = 3
FRAME = 1024
"""Samples of an AAC frame."""

MILLISECOND = RATE // 1000

Samples = NDArray[np.float32]


def _heard(path: Path) -> Samples:
    """What is heard from the file's time zero on, made of frames that follow each other without a
    gap, but for what a container's milliseconds round."""
    with av.open(path) as container:
        frames = list(container.decode(audio=0))
    begin = first = round(float(frames[0].time or 0) * RATE)
    for frame in frames:
        assert abs(round((frame.time or 0) * RATE) - begin) <= MILLISECOND
        begin += frame.samples
    heard = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    return heard[-first:] if first < 0 else np.pad(heard, (first, 0))


def _lag(one: Samples, other: Samples) -> int:
    """Samples by which `other` is later, by the highest peak of their cross-correlation."""
    size = 2 * len(one)
    product = np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size))
    peak = int(np.argmax(np.fft.irfft(product, size)))
    return peak if peak < len(one) else peak - size


def _likeness(one: Samples, other: Samples) -> float:
    return float(np.dot(one, other) / (np.linalg.norm(one) * np.linalg.norm(other)))


SOURCES = {
    "plain": ("0", "anull"),
    "gap": ("0", r"aselect=not(between(t\,2.8\,3.3))"),
    "late": ("0.7", "anull"),
    "early": ("-0.3", "anull"),
}
"""When the sound starts, in seconds after the picture, and what is done to it."""


def _source(name: str, ffmpeg: str, path: Path) -> Path:
    offset, graph = SOURCES[name]
    noise = f"anoisesrc=color=pink:seed=7:amplitude=0.4:sample_rate={RATE}:duration={SECONDS}"
    picture = f"testsrc2=size=64x64:rate=25:duration={SECONDS}"
    run(
        ffmpeg,
        *("-v", "error", "-f", "lavfi", "-i", picture),
        *("-itsoffset", offset, "-f", "lavfi", "-i", f"{noise},{graph}"),
        *("-map", "0", "-map", "1", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25"),
        *("-c:a", "pcm_f32le", path),
    )
    return path


@pytest.mark.parametrize(
    ("name", "suffix"), [("plain", ".mkv"), ("gap", ".mp4"), ("late", ".mp4"), ("early", ".mkv")]
)
async def test_the_sound_of_a_cut_job_is_that_of_the_uncut_encode(
    name: str, suffix: str, ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    source = _source(name, ffmpeg, tmp_path / "source.mkv")
    target, reference = out / f"a{suffix}", tmp_path / "reference.m4a"
    job = spec(source, target, rendition()).model_copy(update={"chunks": CHUNKS})
    outcome = await run_job(job, toolbox)
    assert_published(outcome, target)
    assert len(encodes_of(outcome)) == CHUNKS
    with av.open(source) as container:
        start = float(next(container.decode(video=0)).time or 0)
    whole = f"asetpts=PTS-{start}/TB,aresample=async=1:first_pts=0"
    encoder = ("-c:a", "aac", "-b:a", "128k")
    run(ffmpeg, "-v", "error", "-copyts", "-i", source, "-vn", "-af", whole, *encoder, reference)
    want, have = _heard(reference), _heard(target)
    assert abs(len(have) - len(want)) <= FRAME
    for border in range(1, CHUNKS):
        middle = border * SECONDS * RATE // CHUNKS
        around = slice(middle - RATE // 2, middle + RATE // 2)
        lag = _lag(want[around], have[around])
        assert abs(lag) <= (0 if suffix == ".mp4" else MILLISECOND)
        assert _likeness(want[around], np.roll(have, -lag)[around]) > 0.99
