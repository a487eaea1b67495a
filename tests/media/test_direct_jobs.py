"""A short job made at once is the job made in parts, frame by frame and sample by sample; what is
odd about a source is left to the parts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import psutil
import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.assignment import Stopped, Succeeded
from ffrtmp_ray.media.spec import Codec, Effort
from ffrtmp_ray.media.steps import direct
from ffrtmp_ray.media.tasks import TaskRun
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.conftest import real_clips
from tests.media.encoding import run
from tests.media.exact import frames_of
from tests.media.frames import assert_same_frames
from tests.media.pipeline import (
    Outcome,
    assert_nothing_left,
    assert_published,
    assignment,
    eventually,
    failure_of,
    listed,
    rendition,
    run_job,
    spec,
    tasks_of,
)

AT_ONCE = ["plan", "encode0", "publish"]
ALWAYS = (
    *("plain.mp4", "vfr.mp4", "late-sound.mp4", "late-picture.mkv", "edited.mp4"),
    *("one-frame.mp4", "telephone.mp4"),
)
ALWAYS_REAL = {"video_desks.3gp", "sample.mkv", "sample_fragmented.mp4"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "real" in metafunc.fixturenames:
        every = metafunc.config.getoption("--every-clip")
        chosen = [clip for clip in real_clips() if every or clip.name in ALWAYS_REAL]
        metafunc.parametrize("real", chosen, ids=lambda path: path.name)


def _heard(path: Path) -> list[tuple[Fraction, bytes]]:
    """When each frame of the sound is due, and its samples."""
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return []
        frames = container.decode(container.streams.audio[0])
        return [(frame.pts * frame.time_base, frame.to_ndarray().tobytes()) for frame in frames]


def _said(path: Path) -> object:
    """What the file and its streams say of themselves, but for the encoder's name."""
    with av.open(str(path)) as container:
        streams = [
            (
                stream.type,
                stream.codec_context.name,
                str(stream.disposition),
                {name: text for name, text in stream.metadata.items() if name != "encoder"},
            )
            for stream in container.streams
        ]
        return dict(container.metadata), container.chapters(), streams


async def _both(clip: Path, toolbox: Toolbox, out: Path) -> tuple[Outcome, Path, Path]:
    """How it went at once, and what was made so and in parts."""
    lossless, targets = rendition(crf=0), (out / "once.mp4", out / "parts.mp4")
    once = await run_job(spec(clip, targets[0], lossless), toolbox, job="once")
    parts = await run_job(spec(clip, targets[1], lossless), toolbox, job="parts", apart=True)
    assert_published(once, targets[0])
    assert_published(parts, targets[1])
    return once, *targets


def _assert_alike(one: Path, other: Path) -> None:
    assert frames_of(one) == frames_of(other)
    assert _heard(one) == _heard(other)
    assert _said(one) == _said(other)


@pytest.mark.parametrize("clip", ALWAYS)
async def test_made_at_once_is_made_in_parts(
    clip: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    once, one, other = await _both(clips(clip), toolbox, out)
    assert list(once.ended) == AT_ONCE
    _assert_alike(one, other)
    assert_nothing_left(toolbox, out, one, other)


async def test_a_gap_in_the_sound_is_filled_as_in_parts(
    toolbox: Toolbox, ffmpeg: str, tmp_path: Path, out: Path
) -> None:
    clip = tmp_path / "gap.mkv"
    sound = r"sine=sample_rate=48000:duration=32,aselect=lt(t\,1)+gte(t\,31.3)"
    picture = "testsrc2=size=64x36:rate=5:duration=32"
    inputs = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound)
    run(ffmpeg, "-v", "error", *inputs, "-c:v", "libx264", "-c:a", "pcm_f32le", clip)
    once, one, other = await _both(clip, toolbox, out)
    assert list(once.ended) == AT_ONCE
    _assert_alike(one, other)


async def test_real_files_made_at_once_are_made_in_parts(
    real: Path, toolbox: Toolbox, out: Path
) -> None:
    once, one, other = await _both(real, toolbox, out)
    assert list(once.ended) == AT_ONCE
    _assert_alike(one, other)


@pytest.fixture
def change_argv(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has the command line that makes a file at once end with other words."""
    build = direct.direct_argv

    def change(*words: str) -> None:
        def changed(*args: Any, **options: Any) -> list[str]:
            *argv, output = build(*args, **options)
            return [*argv, *words, output] if words[-1] != "/dev/full" else [*argv, *words]

        monkeypatch.setattr(direct, "direct_argv", changed)

    return change


async def test_what_loses_frames_at_once_is_made_in_parts(
    toolbox: Toolbox, clips: Clips, out: Path, change_argv: Callable[..., None]
) -> None:
    change_argv("-frames:v", "40")
    outcome = await run_job(spec(clips("plain.mp4"), out / "a.mp4"), toolbox)
    (why,) = outcome.replans
    assert "40 frames were made of" in why
    assert list(outcome.ended) == ["plan", "encode0", "audio0", "finish", "publish"]
    assert_same_frames(clips("plain.mp4"), out / "a.mp4")
    assert not outcome.warnings, "nothing is lost, and nobody has to know"
    assert_nothing_left(toolbox, out, out / "a.mp4")


@pytest.mark.parametrize("change", ["pan=5.1|c0=c0|c1=c0", "aresample=32000"])
async def test_sound_that_changes_its_form_is_made_in_parts(
    change: str, toolbox: Toolbox, ffmpeg: str, tmp_path: Path, out: Path
) -> None:
    both, clip = tmp_path / "both.ac3", tmp_path / "change.mkv"
    for form in ("anull", change):
        tone = f"sine=frequency=1000:sample_rate=48000:duration=1,pan=stereo|c0=c0|c1=c0,{form}"
        run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", tone, "-c:a", "ac3", part := out / "a.ac3")
        both.write_bytes((both.read_bytes() if both.exists() else b"") + part.read_bytes())
        part.unlink()
    picture = ("-f", "lavfi", "-i", "testsrc2=size=64x36:rate=5:duration=2")
    run(ffmpeg, "-v", "error", *picture, "-i", both, "-c:v", "libx264", "-c:a", "copy", clip)
    outcome = await run_job(spec(clip, out / "a.mp4"), toolbox)
    (why,) = outcome.replans
    assert "the sound changes its channels or its rate" in why
    assert_published(outcome, out / "a.mp4")


async def test_what_stands_still_at_once_is_made_in_parts(
    toolbox: Toolbox, clips: Clips, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = ["sh", "-c", "exec sleep 60"]
    monkeypatch.setattr(direct, "direct_argv", lambda *_, **__: silent)
    toolbox.settings = toolbox.settings.model_copy(update={"stall_seconds": 3.0})
    outcome = await run_job(spec(clips("plain.mp4"), out / "a.mp4"), toolbox)
    (why,) = outcome.replans
    assert "no progress" in why
    assert_same_frames(clips("plain.mp4"), out / "a.mp4")


async def test_what_loses_its_sound_at_once_is_made_in_parts(
    toolbox: Toolbox, clips: Clips, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "_sound", lambda _: None)
    outcome = await run_job(spec(clips("plain.mp4"), out / "a.mp4"), toolbox)
    (why,) = outcome.replans
    assert "the sound is none, not aac" in why
    assert len(_heard(out / "a.mp4")) > 0


async def test_a_full_disk_is_no_reason_to_make_it_in_parts(
    toolbox: Toolbox, clips: Clips, out: Path, change_argv: Callable[..., None]
) -> None:
    change_argv("/dev/full")
    outcome = await run_job(spec(clips("plain.mp4"), out / "a.mp4"), toolbox)
    kind, _ = failure_of(outcome.last)
    assert kind is FailureKind.OUT_OF_DISK
    assert not outcome.replans
    assert_nothing_left(toolbox, out)


async def test_stopping_it_ends_its_process_and_removes_what_it_has_staged(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    slow = rendition(codec=Codec.AV1, effort=Effort.THOROUGH, crf=1)
    job = spec(clips("plain.mp4"), out / "a.mp4", slow)
    task = (await tasks_of(job, toolbox, apart=False))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    running = asyncio.create_task(run.run())
    await eventually(lambda: listed(out))
    (pid,) = run._step.processes.pids
    run.stop()
    assert await running == Stopped()
    assert not psutil.pid_exists(pid)
    assert listed(out) == []
    assert toolbox.workspace.attempts("job") == frozenset()


async def test_it_is_published_by_a_task_that_can_be_repeated(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    job = spec(clips("plain.mp4"), out / "a.mp4")
    task = (await tasks_of(job, toolbox, apart=False))["encode0"]
    ended = await TaskRun(assignment(task, {}), toolbox).run()
    assert isinstance(ended, Succeeded)
    (publish,) = ended.spawn
    assert publish.final
    assert [path.suffix for path in listed(out)] == [".part"]
    first = await TaskRun(assignment(publish, {}), toolbox).run()
    assert await TaskRun(assignment(publish, {}), toolbox).run() == first
    assert listed(out) == [out / "a.mp4"]
