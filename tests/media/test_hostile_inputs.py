"""Files that mean harm are refused, or do no harm: opened as each part of the farm opens files."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Failed, Succeeded
from ffrtmp_ray.media.encode.opening import opening
from ffrtmp_ray.media.probe.open import Refusal, opened, picture_of
from ffrtmp_ray.media.probe.prober import Prober
from ffrtmp_ray.media.probe.scan import scan
from ffrtmp_ray.media.process.failures import classify
from ffrtmp_ray.media.process.limits import Limits
from ffrtmp_ray.media.process.runner import Exit, ProcessGroup
from ffrtmp_ray.media.toolbox import Toolbox
from ffrtmp_ray.settings import Settings
from tests.clips import Clips
from tests.media import hostile
from tests.media.pipeline import assert_nothing_left, failure_of, rendition, run_job, spec

MIB = 1024**2
SECONDS = 20.0
"""For anything that is done with a file; each takes a moment on an idle machine."""
PROBE_MEMORY = 400 * MIB


@pytest.fixture
async def toolbox(tmp_path: Path) -> AsyncIterator[Toolbox]:
    """With limits that keep a machine's work going, tight enough to be seen at work."""
    (tmp_path / "out").mkdir()
    (tmp_path / "in").mkdir()
    toolbox = Toolbox.open(
        Settings(
            state_dir=tmp_path / "state",
            input_roots=(tmp_path / "in",),
            output_roots=(tmp_path / "out",),
            stall_seconds=SECONDS / 2,
            task_timeout_seconds=SECONDS,
            probe_timeout_seconds=SECONDS,
            ffmpeg_memory_bytes=512 * MIB,
            encode_cpus=2,
        )
    )
    toolbox.start()
    yield toolbox
    toolbox.close()


async def _open_with_ffmpeg(ffmpeg: str, path: Path) -> Exit:
    processes = ProcessGroup(
        stall_seconds=SECONDS,
        grace_seconds=1,
        timeout_seconds=SECONDS,
        limits=Limits(memory_bytes=512 * MIB),
    )
    return await processes.run([*opening(ffmpeg, str(path), 1), "-i", str(path), "-f", "null", "-"])


def _peak_memory(pid: int) -> int:
    """The most resident bytes that a process has had."""
    status = Path(f"/proc/{pid}/status").read_text()
    (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    return int(kib) * 1024


# ------------------------------------------------------------- files that reach for other files


async def test_a_file_that_reaches_for_others_is_refused_however_it_is_opened(
    toolbox: Toolbox, clips: Clips, tmp_path: Path, out: Path
) -> None:
    for name in hostile.REACHING:
        path = hostile.write(name, tmp_path / "in", clips)
        found = await toolbox.prober.probe(path)
        assert isinstance(found, Failure), name
        assert found.kind is FailureKind.BAD_INPUT
        assert name in found.reason
        failure = classify(await _open_with_ffmpeg(toolbox.ffmpeg, path))
        assert failure.kind is FailureKind.BAD_INPUT, (name, failure)
        outcome = await run_job(spec(path, out / "a.mp4"), toolbox)
        assert failure_of(outcome.last) == (FailureKind.BAD_INPUT, found.reason)
        assert_nothing_left(toolbox, out)


@pytest.mark.parametrize("name", ["concat:{0}|{0}", "file:{0}", "subfile,,start,0,end,9,,:{0}"])
async def test_a_name_that_ffmpeg_would_take_for_a_protocol_is_refused(
    name: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    reaching = spec(clips("silent.mp4"), out / "a.mp4").model_copy(
        update={"input": name.format(clips("silent.mp4"))}
    )
    outcome = await run_job(reaching, toolbox)
    assert failure_of(outcome.last)[0] is FailureKind.BAD_INPUT


async def test_a_file_that_is_named_like_a_protocol_or_a_pattern_is_itself(
    toolbox: Toolbox, clips: Clips, tmp_path: Path, out: Path
) -> None:
    for name in ("concat:a|b.mp4", "-i %03d 'quoted' [x];,\\.mp4", "pipe:0"):
        path = tmp_path / "in" / name
        path.write_bytes(clips("silent.mp4").read_bytes())
        target = out / name.replace("pipe:0", "pipe:0.mp4")
        outcome = await run_job(spec(path, target), toolbox)
        assert isinstance(outcome.last, Succeeded), (name, outcome.last)
        target.unlink()
    assert_nothing_left(toolbox, out)


async def test_attachments_are_not_looked_at(
    toolbox: Toolbox, clips: Clips, tmp_path: Path, out: Path
) -> None:
    path = tmp_path / "in" / "attached.mkv"
    hostile.attach(path, clips)
    outcome = await run_job(spec(path, out / "a.mp4"), toolbox)
    assert isinstance(outcome.last, Succeeded), outcome.last
    assert b"secret" not in (out / "a.mp4").read_bytes()


# ------------------------------------------------------------------- files that ask for much


async def test_a_file_that_asks_for_much_gets_little_time_and_memory(
    toolbox: Toolbox, clips: Clips, tmp_path: Path, out: Path
) -> None:
    (pid,) = toolbox.prober.pids
    for name, demand in hostile.DEMANDING.items():
        path, target = hostile.write(name, tmp_path / "in", clips), out / f"{name}.mp4"
        begun = time.monotonic()
        outcome = await run_job(spec(path, target, rendition(height=36)), toolbox)
        assert time.monotonic() - begun < 2 * SECONDS, name
        failed = outcome.last.failure.kind if isinstance(outcome.last, Failed) else None
        assert failed is demand.ends, (name, outcome.last)
        assert_nothing_left(toolbox, out, *([] if failed else [target]))
        target.unlink(missing_ok=True)
        assert toolbox.prober.pids == (pid,), name
        assert _peak_memory(pid) < PROBE_MEMORY, name


@pytest.mark.parametrize("name", ["large-png.mkv", "large.h264", "large.gif"])
async def test_ffmpeg_makes_no_picture_that_is_larger_than_allowed(
    name: str, toolbox: Toolbox, clips: Clips, tmp_path: Path
) -> None:
    end = await _open_with_ffmpeg(toolbox.ffmpeg, hostile.write(name, tmp_path / "in", clips))
    assert "exceeds specified max pixel count" in end.log


def test_a_picture_without_an_end_is_refused(clips: Clips, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ffrtmp_ray.media.probe.scan.MOST_FRAMES", 20)
    with (
        opened(str(clips("silent.mp4"))) as container,
        pytest.raises(Refusal, match="split the file"),
    ):
        scan(container, picture_of(container, "silent.mp4"))


# ---------------------------------------------------------------------------- endless inputs


async def test_a_pipe_is_refused(toolbox: Toolbox, tmp_path: Path, out: Path) -> None:
    pipe = tmp_path / "in" / "pipe.mp4"
    os.mkfifo(pipe)
    kind, reason = failure_of((await run_job(spec(pipe, out / "a.mp4"), toolbox)).last)
    assert kind is FailureKind.BAD_INPUT
    assert "pipe" in reason


async def test_nobody_waits_long_for_a_pipe_that_took_the_place_of_a_file(
    ffmpeg: str, tmp_path: Path
) -> None:
    pipe = tmp_path / "a.mp4"
    os.mkfifo(pipe)
    prober = Prober(memory_bytes=1024 * MIB, timeout_seconds=0.5)
    found = await prober.probe(pipe)
    prober.close()
    assert isinstance(found, Failure)
    assert found.kind is FailureKind.TIMED_OUT
    processes = ProcessGroup(stall_seconds=0.5, grace_seconds=0.5, timeout_seconds=SECONDS)
    argv = [*opening(ffmpeg, str(pipe), 1), "-i", str(pipe), "-f", "null", "-"]
    assert classify(await processes.run(argv)).kind is FailureKind.STALLED


async def test_a_file_that_grows_while_its_job_runs_fails_it_as_changed(
    toolbox: Toolbox, clips: Clips, tmp_path: Path, out: Path
) -> None:
    path = tmp_path / "in" / "live.ts"
    path.write_bytes(clips("stream.ts").read_bytes())
    padding = b"\x47\x1f\xff\x10" + bytes(184)
    running = asyncio.create_task(run_job(spec(path, out / "a.mp4"), toolbox))
    with path.open("ab", buffering=0) as live:
        while not running.done():
            live.write(padding)
            await asyncio.sleep(0.01)
    kind, reason = failure_of(running.result().last)
    assert kind is FailureKind.BAD_INPUT
    assert "was changed while the job ran" in reason
    assert_nothing_left(toolbox, out)
