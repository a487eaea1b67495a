"""A whole job that runs into a limit fails with a reason, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.assignment import Succeeded
from ffrtmp_ray.media.process import space
from ffrtmp_ray.media.spec import Codec, Effort
from ffrtmp_ray.media.steps import step
from ffrtmp_ray.media.tasks import TaskRun
from ffrtmp_ray.media.toolbox import Toolbox
from ffrtmp_ray.settings import Settings
from tests.clips import Clips
from tests.media.encoding import run
from tests.media.frames import onset
from tests.media.pipeline import (
    assert_nothing_left,
    assignment,
    eventually,
    failure_of,
    rendition,
    run_job,
    spec,
    tasks_of,
)
from tests.media.processes import is_gone

MIB = 1024**2


@asynccontextmanager
async def _toolbox(folder: Path, **settings: Any) -> AsyncIterator[Toolbox]:
    out = folder / "out"
    out.mkdir()
    known = {"input_roots": (Path("/"),), "output_roots": (out,), "state_dir": folder / "state"}
    toolbox = Toolbox.open(Settings(**(known | settings)))
    yield toolbox
    toolbox.close()


@pytest.mark.parametrize(
    ("limit", "kind", "said"),
    [
        ({"min_free_bytes": 10**15}, FailureKind.OUT_OF_DISK, "the disk of the workspace is full"),
        ({"attempt_bytes": 5_000}, FailureKind.OVER_LIMIT, "grew larger"),
        ({"ffmpeg_memory_bytes": 60 * MIB}, FailureKind.OVER_LIMIT, "more memory"),
    ],
)
async def test_a_job_that_runs_into_a_limit_says_which(
    limit: dict[str, int],
    kind: FailureKind,
    said: str,
    clips: Clips,
    tmp_path: Path,
) -> None:
    async with _toolbox(tmp_path, **limit) as toolbox:
        out = tmp_path / "out"
        outcome = await run_job(
            spec(clips("silent.mp4"), out / "a.mp4", rendition(crf=10)), toolbox
        )
        failed, reason = failure_of(outcome.last)
        assert (failed, said in reason) == (kind, True), reason
        assert_nothing_left(toolbox, out)


async def test_an_encode_is_ended_when_the_disk_fills_up_under_it(
    toolbox: Toolbox, clips: Clips, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = rendition(codec=Codec.AV1, effort=Effort.THOROUGH, crf=1)
    monkeypatch.setattr(step, "_LOOK_SECONDS", 0.05)
    task = (await tasks_of(spec(clips("plain.mp4"), out / "a.mp4", slow), toolbox))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    running = asyncio.create_task(run.run())
    await eventually(lambda: run._step.processes.pids)
    (pid,) = run._step.processes.pids
    monkeypatch.setattr(space, "free_bytes", lambda _: 1000)
    kind, reason = failure_of(await running)
    assert kind is FailureKind.OUT_OF_DISK
    assert "0 MiB are free" in reason
    assert is_gone(pid)
    assert_nothing_left(toolbox, out)


@pytest.mark.parametrize("before", [0, 1], ids=["before a sound", "in the midst of one"])
async def test_five_minutes_of_silence_need_no_more_memory_than_a_sound(
    before: int, tmp_path: Path, ffmpeg: str
) -> None:
    """Made in one go, they would take 250 MiB."""
    clip, parts = tmp_path / "late.mkv", tmp_path / "parts.ffconcat"
    quiet, loud = tmp_path / "quiet.flac", tmp_path / "loud.flac"
    for path, sound in ((quiet, "anullsrc=cl=stereo,atrim=end=1"), (loud, "sine=duration=4")):
        source = ("-f", "lavfi", "-i", f"{sound},aformat=cl=stereo")
        run(ffmpeg, "-v", "error", *source, path)
    parts.write_text(f"ffconcat version 1.0\nfile {quiet}\nduration 300.25\nfile {loud}\n")
    picture = ("-f", "lavfi", "-i", "color=gray:size=64x36:rate=0.2:duration=305")
    late = ("-f", "concat", "-safe", "0", "-i", parts)
    sound = late if before else ("-itsoffset", "300.25", "-i", loud)
    made_of = ("-c:v", "libx264", "-c:a", "copy", "-t", "305")
    run(ffmpeg, "-v", "error", *picture, *sound, *made_of, clip)
    async with _toolbox(tmp_path, ffmpeg_memory_bytes=128 * MIB) as toolbox:
        tasks = await tasks_of(spec(clip, tmp_path / "out" / "a.mp4"), toolbox)
        ended = await TaskRun(assignment(tasks["audio0"], {}), toolbox).run()
        assert isinstance(ended, Succeeded), ended
        made = toolbox.workspace.absolute(ended.result["path"])
        assert onset(made) == pytest.approx(300.25, abs=0.01)
