"""Runs a job with each damaged clip, in this process as a worker does, and sees how it ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from ffrtmp_ray.media.assignment import Failed, Succeeded
from ffrtmp_ray.media.toolbox import Toolbox
from ffrtmp_ray.settings import Settings
from tests.fuzz.variants import damaged
from tests.media.pipeline import Outcome, rendition, run_job, spec

MIB = 1024**2
JOB_SECONDS = 180.0
"""In which a job must have ended, by the limits of its tasks below; nearly all take a second."""
_OURS = ("an error of our own", "not understood")
"""How reasons begin, or go on, that are defects of ours and none of a file's."""


@dataclass(frozen=True)
class Ended:
    number: int
    clip: str
    damage: str
    outcome: str
    """`completed`, or the kind of failure."""
    reason: str
    seconds: float
    worker_bytes: int
    """Resident memory of this process afterwards."""
    children_bytes: int
    """Of the processes that look into files."""
    defects: tuple[str, ...]
    """What must not be, each as a sentence; empty where all is well."""


def settings(folder: Path) -> Settings:
    return Settings(
        state_dir=folder / "state",
        input_roots=(folder / "in",),
        output_roots=(folder / "out",),
        encode_cpus=2,
        stall_seconds=10,
        task_timeout_seconds=30,
        probe_timeout_seconds=20,
        ffmpeg_memory_bytes=1024 * MIB,
        chunk_store_bytes=0,
    )


async def run(
    clips: Sequence[Path], folder: Path, *, seed: int, first: int, count: int
) -> AsyncIterator[Ended]:
    """Jobs with the damaged clips number `first` and on; `folder` is empty."""
    for name in ("in", "out"):
        (folder / name).mkdir()
    toolbox = Toolbox.open(settings(folder))
    toolbox.start()
    try:
        for number in range(first, first + count):
            clip = clips[number % len(clips)]
            how, data = damaged(clip.read_bytes(), seed, number)
            path = folder / "in" / clip.name
            path.write_bytes(data)
            yield await _one(path, how, folder, toolbox, number)
    finally:
        toolbox.close()


async def _one(path: Path, how: str, folder: Path, toolbox: Toolbox, number: int) -> Ended:
    target = folder / "out" / "a.mp4"
    wanted = spec(path, target, rendition(height=36))
    wanted = wanted.model_copy(update={"chunks": (None, 2)[number % 2]})
    begun, defects, outcome = time.monotonic(), [], Outcome()
    try:
        outcome = await asyncio.wait_for(run_job(wanted, toolbox), JOB_SECONDS)
    except Exception as error:  # noqa: BLE001  # whatever it is, it is what is looked for here
        defects.append(f"it raised {error!r}")
    seconds = time.monotonic() - begun
    kind, reason = _end_of(outcome)
    if any(words in reason for words in _OURS):
        defects.append(reason)
    if kind != "completed" and not reason:
        defects.append(f"it ended as {kind} without a reason")
    defects += [f"{each} was left" for each in _left(toolbox, outcome)]
    if set(target.parent.iterdir()) != ({target} if kind == "completed" else set()):
        defects.append("the folder of outputs has something else than the whole output")
    toolbox.workspace.remove_job("job")
    for each in (path, target):
        each.unlink(missing_ok=True)
    pids = toolbox.prober.pids
    return Ended(
        number,
        path.name,
        how,
        kind,
        reason,
        seconds,
        psutil.Process().memory_info().rss,
        max((_memory(pid) for pid in pids), default=0),
        tuple(defects),
    )


def _end_of(outcome: Outcome) -> tuple[str, str]:
    if not outcome.ended:
        return "nothing", ""
    last = outcome.last
    if isinstance(last, Failed):
        return last.failure.kind.value, last.failure.reason
    return ("completed", "") if isinstance(last, Succeeded) else (type(last).__name__, "")


def _left(toolbox: Toolbox, outcome: Outcome) -> list[str]:
    """Attempts whose files should be gone: all when the job is completed, else the one that failed;
    what others have finished is kept for a retry."""
    attempts = toolbox.workspace.attempts("job")
    if not outcome.ended or isinstance(outcome.last, Succeeded):
        return sorted(attempts)
    plan = f"-p{len(outcome.replans)}" if outcome.replans else ""
    return sorted(attempts & {f"job-{next(reversed(outcome.ended))}{plan}-1-1"})


def _memory(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:  # it died over the file, and nobody has asked anything since
        return 0
