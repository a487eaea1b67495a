"""The limits of a process: the kernel keeps them, and what runs into one fails with a reason."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import imageio_ffmpeg
import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.process.failures import classify
from ffrtmp_ray.media.process.limits import Limits
from ffrtmp_ray.media.process.runner import Ending, Exit, ProcessGroup

MIB = 1024**2
LARGE_PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=3840x2160:rate=25", "-threads", "2")


async def _run(*argv: str, **limits: float) -> Exit:
    processes = ProcessGroup(
        stall_seconds=30,
        grace_seconds=1,
        timeout_seconds=30,
        limits=Limits(**limits),  # type: ignore[arg-type]  # a mix of ints and a float
    )
    return await processes.run(argv)


async def _ffmpeg(*arguments: str, **limits: float) -> Exit:
    argv = (imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "level+warning", "-y")
    return await _run(*argv, *arguments, **limits)


async def test_a_process_is_started_under_its_limits() -> None:
    niceness = str(os.getpriority(os.PRIO_PROCESS, 0) + 1)  # it is counted from the worker's own
    limits = {"memory_bytes": 512 * MIB, "cpu_seconds": 40, "file_bytes": 3 * MIB, "open_files": 99}
    end = await _run(
        *("sh", "-c", "for each in c d t f n; do ulimit -$each; done >&2; nice >&2"),
        **limits,
        niceness=1,
    )
    assert end.log.split() == ["0", str(512 * 1024), "100", str(3 * MIB // 512), "99", niceness]


async def test_a_limit_above_what_the_worker_itself_has_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """None but root could raise it, and the process would not start."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    end = await _run("sh", "-c", "ulimit -n >&2", open_files=512)
    assert end.log.split() == ["64"]


@pytest.mark.parametrize("encoder", ["libx264", "libx265"])
async def test_an_encode_that_needs_more_memory_than_allowed_says_so(encoder: str) -> None:
    end = await _ffmpeg(
        *LARGE_PICTURE,
        *("-frames:v", "10", "-c:v", encoder, "-f", "null", "-"),
        memory_bytes=200 * MIB,
    )
    failure = classify(end)
    assert failure.kind is FailureKind.OVER_LIMIT
    assert "more memory" in failure.reason


async def test_a_file_that_grows_too_large_ends_its_process(tmp_path: Path) -> None:
    path = tmp_path / "out.mkv"
    end = await _ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=320x180", "-c:v", "rawvideo", str(path)),
        file_bytes=MIB,
    )
    failure = classify(end)
    assert failure.kind is FailureKind.OVER_LIMIT
    assert "grew larger" in failure.reason
    assert path.stat().st_size <= MIB


async def test_a_process_that_spends_too_much_cpu_time_is_ended_with_a_reason() -> None:
    end = await _run("sh", "-c", "while :; do :; done", cpu_seconds=0.3)
    assert end.ending is Ending.OVERSPENT
    failure = classify(end)
    assert failure.kind is FailureKind.OVER_LIMIT
    assert "CPU time" in failure.reason


async def test_an_encode_cannot_open_more_files_than_allowed(tmp_path: Path) -> None:
    outputs = [word for n in range(20) for word in ("-t", "0.1", str(tmp_path / f"{n}.mkv"))]
    end = await _ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x36", *outputs, open_files=16)
    assert end.code != 0
    assert "Too many open files" in end.log
