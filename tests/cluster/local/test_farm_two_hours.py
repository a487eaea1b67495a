"""A film of two hours: neither the scheduler nor a worker grows by it. `make soak-media`"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import imageio_ffmpeg
import psutil
import pytest

from ffrtmp_ray.media.spec import Codec, Effort, Ladder, Rendition
from tests.cluster.farms import LocalFarm, until
from tests.cluster.media import make_clip

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]

SECONDS = 7200
RATE = 5
CHUNKS = 40
MIB = 1024**2
MOST_GROWTH = 48 * MIB
"""While the film is worked at: its plan has the time of each of 36,000 frames in memory."""
MOST_KEPT = 16 * MIB
"""From the end of one such job to the end of the next, when all that is loaded once is."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    sources = [f"testsrc2=size=64x36:rate={RATE}", "sine=frequency=440:sample_rate=8000"]
    inputs = [word for each in sources for word in ("-f", "lavfi", "-t", str(SECONDS), "-i", each)]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", "aac", "-b:a", "16k"]
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin"]
    subprocess.run([*ffmpeg, *inputs, *encode, str(path)], check=True)
    return path


def test_two_hours_leave_the_memory_of_scheduler_and_workers_flat(
    farm: LocalFarm, film: Path, tmp_path: Path
) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=2)
    farm.completed(farm.submit(clip, tmp_path / "warm.mp4").id)
    before = _told("before", _memory(farm))
    peaks, ends = [], []
    for number in (1, 2):
        peaks.append(_told(f"most during job {number}", _transcode(farm, film, tmp_path, number)))
        ends.append(_told(f"after job {number}", _memory(farm)))
    for name, size in before.items():
        assert max(peak[name] for peak in peaks) - size < MOST_GROWTH, name
        assert ends[1][name] - ends[0][name] < MOST_KEPT, name


def _transcode(farm: LocalFarm, film: Path, folder: Path, number: int) -> Mapping[str, int]:
    """The most memory that each had while the film was made, with options of its own so that no
    chunk is there already."""
    rendition = Rendition(name="small", codec=Codec.H264, crf=30 + number, effort=Effort.FAST)
    target = folder / f"{number}.mp4"
    job = farm.submit(film, target, Ladder(renditions=(rendition,)), chunks=CHUNKS)
    most: dict[str, int] = {}

    def ended() -> bool:
        for name, size in _memory(farm).items():
            most[name] = max(most.get(name, 0), size)
        return farm.farm.get(job.id).state.terminal

    until(ended, 500)
    done = farm.completed(job.id)
    assert len([task for task in done.tasks if task.kind == "encode"]) == CHUNKS
    assert not [warning for warning in done.warnings if "inexact" in warning]
    return most


def _memory(farm: LocalFarm) -> dict[str, int]:
    """Resident bytes of the scheduler, the worker, and the largest of its looking children."""
    scheduler, (worker,) = farm.scheduler(), farm.actors("WorkerActor")
    probes = [c for c in worker.children() if "probe.child" in " ".join(_cmdline(c))]
    return {
        "scheduler": scheduler.memory_info().rss,
        "worker": worker.memory_info().rss,
        "probe": max((_size(each) for each in probes), default=0),
    }


def _size(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _cmdline(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def _told(when: str, memory: Mapping[str, int]) -> Mapping[str, int]:
    sizes = ", ".join(f"{name} {size / MIB:.0f} MiB" for name, size in memory.items())
    print(f"{when}: {sizes}", flush=True)
    return memory
