"""Whole jobs, task by task, with real ffmpeg: what comes out, and what is said when nothing can."""

from __future__ import annotations

import asyncio
import errno
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import psutil
import pytest
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from ffrtmp_ray.core.model import FailureKind, NewTask
from ffrtmp_ray.media.assignment import Ended, Failed, Replaced, Stopped, Succeeded
from ffrtmp_ray.media.plan import first_task
from ffrtmp_ray.media.plan.payloads import EncodePayload, FinishPayload, PlanPayload
from ffrtmp_ray.media.plan.timing import timescale
from ffrtmp_ray.media.presets import resolve
from ffrtmp_ray.media.spec import Audio, Codec, Effort, JobSpec, Ladder, Rendition
from ffrtmp_ray.media.steps import encode
from ffrtmp_ray.media.tasks import TaskRun
from ffrtmp_ray.media.toolbox import Toolbox
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.publish import staging_path
from tests.clips import Clips
from tests.media.pipeline import Outcome, assignment, run_job
from tests.support.waiting import until


@pytest.fixture
async def toolbox(tmp_path: Path) -> AsyncIterator[Toolbox]:
    settings = Settings(
        state_dir=tmp_path / "state",
        input_roots=(Path("/"),),
        output_roots=(tmp_path / "out",),
        encode_cpus=2,
    )
    (tmp_path / "out").mkdir()
    toolbox = Toolbox.open(settings)
    toolbox.start()
    yield toolbox
    toolbox.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def _rendition(name: str = "a", **fields: Any) -> Rendition:
    known = {"name": name, "codec": Codec.H264, "crf": 30, "effort": Effort.FAST}
    return Rendition(**(known | fields))


def _spec(clip: Path, output: Path, *renditions: Rendition, **fields: Any) -> JobSpec:
    ladder = Ladder(renditions=renditions or (_rendition(),), **fields)
    return JobSpec(input=str(clip), output=str(output), ladder=ladder)


def _picture(container: InputContainer) -> VideoStream:
    cover = Disposition.attached_pic
    return next(s for s in container.streams.video if not s.disposition & cover)


def _times(path: Path) -> list[Fraction]:
    """When the frames of a file's picture are shown, by decoding it."""
    with av.open(str(path), metadata_errors="replace") as container:
        frames = list(container.decode(_picture(container)))
    return sorted(frame.pts * frame.time_base for frame in frames)


def _time_base(path: Path) -> Fraction:
    with av.open(str(path), metadata_errors="replace") as container:
        return Fraction(_picture(container).time_base or 0)


def _assert_same_frames(source: Path, made: Path) -> None:
    """The same number, at the same times but for one rounding to a tick of the output."""
    want, have = _times(source), _times(made)
    assert len(have) == len(want)
    tick = Fraction(1, timescale(_time_base(source)))
    if made.suffix != ".mp4":
        tick += Fraction(1, 1000)
    assert have[0] == 0
    for one, other in zip(want, have, strict=True):
        assert abs((one - want[0]) - other) <= tick


def _onset(path: Path) -> float:
    """Seconds from the first picture until something is heard."""
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.audio[0]):
            samples = np.abs(frame.to_ndarray().astype(float)).max(axis=0)
            loud = np.nonzero(samples > samples.dtype.type(0.02))[0]
            if len(loud):
                assert frame.time is not None
                return float(frame.time) + float(loud[0]) / frame.sample_rate
    raise AssertionError("nothing is heard")


def _failure(ended: Ended) -> tuple[FailureKind, str]:
    assert isinstance(ended, Failed), ended
    return ended.failure.kind, ended.failure.reason


def _assert_published(outcome: Outcome, *paths: Path) -> Sequence[dict[str, Any]]:
    assert isinstance(outcome.last, Succeeded), (outcome.last, outcome.logs)
    outputs: list[dict[str, Any]] = outcome.last.result["outputs"]
    assert [output["path"] for output in outputs] == [str(path) for path in paths]
    for output in outputs:
        assert Path(output["path"]).stat().st_size == output["bytes"]
    return outputs


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _assert_nothing_left(toolbox: Toolbox, out: Path, *published: Path) -> None:
    assert _listed(out) == sorted(published)
    workspace = toolbox.workspace.root
    assert not workspace.exists() or list(workspace.iterdir()) == []


# ------------------------------------------------------------------------------ what comes out

AWKWARD = (
    "plain.mp4", "silent.mp4", "odd.mkv", "tenbit.mkv", "rotated.mp4", "vfr.mp4",
    "late-sound.mp4", "late-picture.mkv", "stream.ts", "anamorphic.mp4", "cover.mp4",
    "latin1.mkv", "two-sounds.mkv", "edited.mp4", "interlaced.ts", "one-frame.mp4",
)  # fmt: skip


@pytest.mark.parametrize("name", AWKWARD)
async def test_awkward_clips_keep_every_frame_at_its_time(
    name: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    outcome = await run_job(_spec(clips(name), target), toolbox)
    _assert_published(outcome, target)
    _assert_same_frames(clips(name), target)
    _assert_nothing_left(toolbox, out, target)


async def test_real_clips_keep_every_frame_at_its_time_or_are_refused_in_a_sentence(
    toolbox: Toolbox, real_clip: Path, out: Path
) -> None:
    target = out / "a.mp4"
    outcome = await run_job(_spec(real_clip, target, _rendition(height=240)), toolbox)
    if list(outcome.ended) == ["plan"]:
        kind, reason = _failure(outcome.last)
        assert kind is FailureKind.BAD_INPUT
        assert real_clip.name in reason
        assert "no video" in reason or "damaged" in reason
        _assert_nothing_left(toolbox, out)
        return
    _assert_published(outcome, target)
    _assert_same_frames(real_clip, target)
    _assert_nothing_left(toolbox, out, target)


@pytest.mark.parametrize(
    ("suffix", "codec", "audio"),
    [
        (".mp4", Codec.HEVC, "aac"), (".mkv", Codec.H264, "aac"), (".mp4", Codec.AV1, "aac"),
        (".webm", Codec.AV1, "opus"), (".webm", Codec.VP9, "opus"), (".mp4", Codec.VP9, "aac"),
    ],
)  # fmt: skip
async def test_every_codec_in_every_container_that_holds_it(
    suffix: str, codec: Codec, audio: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / f"a{suffix}"
    outcome = await run_job(_spec(clips("vfr.mp4"), target, _rendition(codec=codec)), toolbox)
    (output,) = _assert_published(outcome, target)
    assert output["video"] == f"{codec} 320x180"
    assert output["audio"] == f"{audio} 1ch"
    assert output["duration_seconds"] == pytest.approx(2.04, abs=0.05)
    _assert_same_frames(clips("vfr.mp4"), target)


async def test_a_ladder_becomes_a_folder_of_files_all_or_nothing(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "new" / "ladder"
    ladder = (_rendition("180p", height=180), _rendition("90p", height=90, codec=Codec.HEVC))
    outcome = await run_job(_spec(clips("plain.mp4"), target, *ladder), toolbox)
    outputs = _assert_published(outcome, target / "180p.mp4", target / "90p.mp4")
    assert [output["video"] for output in outputs] == ["h264 320x180", "hevc 160x90"]
    assert sorted(path.name for path in target.iterdir()) == ["180p.mp4", "90p.mp4"]
    assert list(target.parent.iterdir()) == [target]


async def test_hevc_in_mp4_is_tagged_as_apple_wants_it(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    await run_job(_spec(clips("silent.mp4"), target, _rendition(codec=Codec.HEVC)), toolbox)
    with av.open(str(target)) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"


async def test_an_mp4_can_be_played_before_it_is_all_there(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    await run_job(_spec(clips("plain.mp4"), target), toolbox)
    content = target.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


async def test_a_rotated_picture_comes_out_upright(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    await run_job(_spec(clips("rotated.mp4"), target), toolbox)
    with av.open(str(target)) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height, frame.rotation) == (180, 320, 0)


async def test_ten_bits_stay_ten_bits(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    target = out / "a.mkv"
    await run_job(_spec(clips("tenbit.mkv"), target, _rendition(codec=Codec.HEVC)), toolbox)
    with av.open(str(target)) as container:
        assert next(container.decode(video=0)).format.name == "yuv420p10le"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
async def test_sound_that_starts_late_still_does(
    suffix: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / f"a{suffix}"
    codec = Codec.VP9 if suffix == ".webm" else Codec.H264
    spec = _spec(clips("late-sound.mp4"), target, _rendition(codec=codec))
    _assert_published(await run_job(spec, toolbox), target)
    assert _onset(target) == pytest.approx(_onset(clips("late-sound.mp4")), abs=0.01)


async def test_the_first_of_two_languages_is_kept_with_its_name(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mkv"
    outcome = await run_job(_spec(clips("two-sounds.mkv"), target), toolbox)
    with av.open(str(target)) as container:
        assert [stream.language for stream in container.streams.audio] == ["eng"]
    assert any("2 sound streams" in warning for warning in outcome.warnings)


async def test_a_rendition_of_a_lower_rate_has_its_own_frames(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    spec = _spec(clips("plain.mp4"), target, _rendition(fps=10))
    _assert_published(await run_job(spec, toolbox), target)
    assert len(_times(target)) == pytest.approx(20, abs=1)


async def test_a_ladder_without_sound_makes_none(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    target = out / "a.mp4"
    outcome = await run_job(_spec(clips("plain.mp4"), target, audio=None), toolbox)
    (output,) = _assert_published(outcome, target)
    assert output["audio"] is None


async def test_stereo_is_made_where_it_is_asked_for(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    spec = _spec(clips("plain.mp4"), target, audio=Audio(channels=2))
    (output,) = _assert_published(await run_job(spec, toolbox), target)
    assert output["audio"] == "aac 2ch"


# ------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize("name", ["sound.m4a", "cover.m4a", "still.png"])
async def test_a_file_without_video_fails_its_plan(
    name: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    outcome = await run_job(_spec(clips(name), out / "a.mp4"), toolbox)
    kind, reason = _failure(outcome.ended["plan"])
    assert kind is FailureKind.BAD_INPUT
    assert reason.startswith(name)


async def test_the_worker_checks_the_roots_again(
    toolbox: Toolbox, clips: Clips, tmp_path: Path
) -> None:
    outcome = await run_job(_spec(clips("plain.mp4"), tmp_path / "elsewhere.mp4"), toolbox)
    kind, reason = _failure(outcome.last)
    assert kind is FailureKind.UNSUPPORTED
    assert "outside" in reason


async def test_an_input_that_is_gone_fails_at_once(toolbox: Toolbox, out: Path) -> None:
    outcome = await run_job(_spec(Path("/nowhere/a.mp4"), out / "a.mp4"), toolbox)
    assert _failure(outcome.last)[0] is FailureKind.BAD_INPUT


async def test_an_output_that_is_there_is_left_alone(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    (out / "a.mp4").write_text("theirs")
    outcome = await run_job(_spec(clips("plain.mp4"), out / "a.mp4"), toolbox)
    assert list(outcome.ended) == ["plan"]
    assert _failure(outcome.last)[0] is FailureKind.OUTPUT_EXISTS
    assert (out / "a.mp4").read_text() == "theirs"


# ------------------------------------------------------------------------------ step by step


async def _tasks(spec: JobSpec, toolbox: Toolbox) -> dict[str, NewTask]:
    """The tasks that a job's plan spawns."""
    plan = first_task(resolve(spec), toolbox.settings)
    ended = await TaskRun(assignment(plan, {}), toolbox).run()
    assert isinstance(ended, Succeeded), ended
    return {task.name: task for task in ended.spawn}


async def _publish_task(spec: JobSpec, toolbox: Toolbox) -> NewTask:
    outcome = await run_job(spec, toolbox, until="finish")
    assert isinstance(outcome.last, Succeeded), outcome.last
    (publish,) = outcome.last.spawn
    return publish


async def test_finishing_stages_beside_the_output_and_publishes_nothing(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    publish = await _publish_task(_spec(clips("silent.mp4"), target), toolbox)
    assert publish.final
    assert _listed(out) == [staging_path(target, "job-finish-1-1")]


async def test_publishing_twice_is_publishing_once(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    publish = await _publish_task(_spec(clips("silent.mp4"), target), toolbox)
    first = await TaskRun(assignment(publish, {}), toolbox).run()
    content = target.read_bytes()
    again = replace(assignment(publish, {}), attempt_id="job-publish-2-2")
    assert await TaskRun(again, toolbox).run() == first
    assert target.read_bytes() == content
    _assert_nothing_left(toolbox, out, target)


async def test_an_output_that_appears_meanwhile_is_left_alone_and_a_retry_goes_on(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    publish = await _publish_task(_spec(clips("silent.mp4"), target), toolbox)
    target.write_text("theirs")
    kind, reason = _failure(await TaskRun(assignment(publish, {}), toolbox).run())
    assert kind is FailureKind.OUTPUT_EXISTS
    assert "never replaced" in reason
    assert target.read_text() == "theirs"
    target.unlink()
    assert isinstance(await TaskRun(assignment(publish, {}), toolbox).run(), Succeeded)


async def test_a_staged_output_that_is_gone_fails(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    publish = await _publish_task(_spec(clips("silent.mp4"), target), toolbox)
    staging_path(target, "job-finish-1-1").unlink()
    assert _failure(await TaskRun(assignment(publish, {}), toolbox).run())[0] is FailureKind.CRASHED


async def test_a_repeated_finish_takes_the_place_of_one_that_died(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    stale = staging_path(target, "job-finish-1-7")
    stale.write_bytes(b"half")
    await _publish_task(_spec(clips("silent.mp4"), target), toolbox)
    assert not stale.exists()


async def test_discarding_a_job_finds_what_it_staged(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    spec = _spec(clips("silent.mp4"), out / "a.mp4")
    await _publish_task(spec, toolbox)
    kept = toolbox.workspace.attempt("job", "job-encode0-1-1")
    await asyncio.to_thread(toolbox.discard, "job", frozenset({"job-encode0-1-1"}))
    assert _listed(out) == []
    assert (kept / "a.mp4").is_file()
    assert toolbox.workspace.attempts("job") == {"job-encode0-1-1"}


async def test_a_broken_encode_is_not_staged(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    """A result that promises more frames than its file has, as a lost write would leave it."""
    spec = _spec(clips("silent.mp4"), out / "a.mp4")
    tasks = await _tasks(spec, toolbox)
    encoded = await TaskRun(assignment(tasks["encode0"], {}), toolbox).run()
    assert isinstance(encoded, Succeeded)
    result = json.loads(json.dumps(encoded.result))
    result["files"]["a"]["frames"] += 1
    ended = await TaskRun(assignment(tasks["finish"], {"encode0": result}), toolbox).run()
    kind, reason = _failure(ended)
    assert kind is FailureKind.INEXACT
    assert "the number of frames is 50, not 51" in reason
    assert _listed(out) == []


async def test_chunks_of_different_encoders_are_not_joined(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    spec = _spec(clips("silent.mp4"), out / "a.mp4")
    tasks = await _tasks(spec, toolbox)
    encoded = await TaskRun(assignment(tasks["encode0"], {}), toolbox).run()
    assert isinstance(encoded, Succeeded)
    other = json.loads(json.dumps(encoded.result))
    other["files"]["a"]["extradata"] = "another"
    finish = FinishPayload.model_validate(tasks["finish"].payload)
    two = finish.model_copy(update={"chunks": (Fraction(2), Fraction(2))})
    task = replace(
        tasks["finish"], payload=two.model_dump(mode="json"), waits_for=("encode0", "encode1")
    )
    results = {"encode0": encoded.result, "encode1": other}
    kind, reason = _failure(await TaskRun(assignment(task, results), toolbox).run())
    assert kind is FailureKind.INEXACT
    assert "cannot be joined" in reason


# ------------------------------------------------------------------------------ exactness


async def _encode(
    toolbox: Toolbox, clip: Path, out: Path, change: Callable[[EncodePayload], EncodePayload]
) -> Ended:
    task = (await _tasks(_spec(clip, out / "a.mp4"), toolbox))["encode0"]
    payload = change(EncodePayload.model_validate(task.payload))
    changed = replace(task, payload=payload.model_dump(mode="json"))
    return await TaskRun(assignment(changed, {}), toolbox).run()


async def test_an_encode_says_what_it_has_made(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    ended = await _encode(toolbox, clips("silent.mp4"), out, lambda payload: payload)
    assert isinstance(ended, Succeeded)
    made = ended.result["files"]["a"]
    assert made["path"] == "job/job-encode0-1-1/a.mp4"
    assert made["frames"] == 50
    assert len(made["extradata"]) == 64
    assert ended.result["ffmpeg"]


async def test_packets_that_are_no_frames_are_recounted_by_decoding(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    ended = await _encode(
        toolbox,
        clips("silent.mp4"),
        out,
        lambda payload: payload.model_copy(update={"frames": payload.frames + 1}),
    )
    assert isinstance(ended, Succeeded)
    (warning,) = ended.result["warnings"]
    assert "51 packets" in warning
    assert "50 frames" in warning


async def test_an_inexact_chunk_has_the_job_planned_anew_as_a_whole(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    plan = first_task(resolve(_spec(clips("silent.mp4"), out / "a.mp4")), toolbox.settings)
    whole = PlanPayload.model_validate(plan.payload).model_copy(update={"whole": True})
    ended = await _encode(
        toolbox,
        clips("silent.mp4"),
        out,
        lambda payload: payload.model_copy(
            update={"frames": payload.frames + 1, "otherwise": whole}
        ),
    )
    assert isinstance(ended, Replaced)
    assert "50 frames were made of 51" in ended.reason
    (spawned,) = ended.spawn
    assert (spawned.name, spawned.kind) == ("plan", "plan")
    assert PlanPayload.model_validate(spawned.payload) == whole
    assert toolbox.workspace.attempts("job") == frozenset()


async def test_frames_that_are_lost_in_encoding_are_no_success(
    toolbox: Toolbox, clips: Clips, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = encode.video_argv

    def lossy(*args: Any, **options: Any) -> list[str]:
        *argv, output = build(*args, **options)
        return [*argv, "-frames:v", "40", output]

    monkeypatch.setattr(encode, "video_argv", lossy)
    ended = await _encode(toolbox, clips("silent.mp4"), out, lambda payload: payload)
    kind, reason = _failure(ended)
    assert kind is FailureKind.INEXACT
    assert "40 frames were made of 50" in reason
    assert toolbox.workspace.attempts("job") == frozenset()


def _scratched(clip: Path, to: Path, *, start: int, length: int) -> Path:
    content = bytearray(clip.read_bytes())
    begin = content.index(b"mdat") + start
    content[begin : begin + length] = bytes(length)
    to.write_bytes(content)
    return to


async def test_a_badly_damaged_source_fails_and_says_so(
    toolbox: Toolbox, clips: Clips, out: Path, tmp_path: Path
) -> None:
    clip = _scratched(clips("silent.mp4"), tmp_path / "bad.mp4", start=9_000, length=30_000)
    outcome = await run_job(_spec(clip, out / "a.mp4"), toolbox)
    kind, reason = _failure(outcome.last)
    assert kind is FailureKind.BAD_INPUT
    assert "damaged" in reason
    _assert_nothing_left(toolbox, out)


# ------------------------------------------------------------------------------ being ordered about


def _slow(clips: Clips, out: Path) -> JobSpec:
    """Half a minute of encoding."""
    slow = _rendition(codec=Codec.AV1, effort=Effort.THOROUGH, crf=1)
    return _spec(clips("plain.mp4"), out / "a.mp4", slow)


async def _until(condition: Callable[[], Any]) -> None:
    """Leaves the event loop to what is waited for."""
    await asyncio.to_thread(until, condition)


async def test_stopping_an_encode_ends_its_process_and_removes_its_files(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    task = (await _tasks(_slow(clips, out), toolbox))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    running = asyncio.create_task(run.run())
    await _until(lambda: run._step.processes.pids)
    (pid,) = run._step.processes.pids
    run.stop()
    assert await running == Stopped()
    assert not psutil.pid_exists(pid)
    assert toolbox.workspace.attempts("job") == frozenset()


async def test_suspending_an_encode_stops_its_process_until_it_is_resumed(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    task = (await _tasks(_slow(clips, out), toolbox))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    running = asyncio.create_task(run.run())
    await _until(lambda: run._step.processes.pids)
    process = psutil.Process(run._step.processes.pids[0])
    run.suspend()
    await _until(lambda: process.status() == psutil.STATUS_STOPPED)
    run.resume()
    await _until(lambda: process.status() != psutil.STATUS_STOPPED)
    run.stop()
    assert await running == Stopped()


async def test_an_encode_that_is_suspended_from_the_start_waits(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    task = (await _tasks(_spec(clips("silent.mp4"), out / "a.mp4"), toolbox))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    run.suspend()
    running = asyncio.create_task(run.run())
    await _until(lambda: toolbox.workspace.attempts("job"))
    assert run._step.processes.pids == ()
    run.resume()
    assert isinstance(await running, Succeeded)


async def test_a_task_that_is_stopped_before_it_starts_does_nothing(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    task = (await _tasks(_slow(clips, out), toolbox))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    run.stop()
    assert await run.run() == Stopped()
    assert toolbox.workspace.attempts("job") == frozenset()


async def test_stopping_a_plan_does_not_wait_for_its_probe(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    (pid,) = toolbox.prober.pids
    psutil.Process(pid).suspend()  # a file that is hard to look into
    plan = first_task(_spec(clips("plain.mp4"), out / "a.mp4"), toolbox.settings)
    run = TaskRun(assignment(plan, {}), toolbox)
    running = asyncio.create_task(run.run())
    await _until(lambda: toolbox.prober._busy)
    run.stop()
    assert await running == Stopped()
    assert not psutil.pid_exists(pid)


async def test_canceling_the_run_itself_leaves_nothing_behind(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    task = (await _tasks(_slow(clips, out), toolbox))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    running = asyncio.create_task(run.run())
    await _until(lambda: run._step.processes.pids)
    (pid,) = run._step.processes.pids
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not psutil.pid_exists(pid)
    assert toolbox.workspace.attempts("job") == frozenset()


async def test_progress_rises_to_the_end(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    task = (await _tasks(_spec(clips("plain.mp4"), out / "a.mp4"), toolbox))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    assert run.progress.fraction == 0
    await run.run()
    assert run.progress.fraction == 1
    assert "libx264" in run.log or run.log == ""


# ------------------------------------------------------------------------------ what goes wrong


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), FailureKind.OUT_OF_DISK, "No space"),
        (OSError(errno.EIO, "Input/output error", "/x"), FailureKind.CRASHED, "/x"),
        (KeyError("surprise"), FailureKind.CRASHED, "surprise"),
    ],
)
async def test_errors_become_failures(
    error: Exception,
    kind: FailureKind,
    said: str,
    toolbox: Toolbox,
    clips: Clips,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> Path:
        raise error

    task = (await _tasks(_spec(clips("silent.mp4"), out / "a.mp4"), toolbox))["encode0"]
    monkeypatch.setattr(toolbox.workspace, "make", fail)
    run = TaskRun(assignment(task, {}), toolbox)
    failed, reason = _failure(await run.run())
    assert failed is kind
    assert said in reason
    if isinstance(error, KeyError):
        assert "Traceback" in run.log


async def test_a_source_that_is_removed_while_it_waits_fails_its_encode(
    toolbox: Toolbox, clips: Clips, out: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "gone.mp4"
    clip.write_bytes(clips("silent.mp4").read_bytes())
    task = (await _tasks(_spec(clip, out / "a.mp4"), toolbox))["encode0"]
    clip.unlink()
    run = TaskRun(assignment(task, {}), toolbox)
    kind, _ = _failure(await run.run())
    assert kind is FailureKind.BAD_INPUT
    assert "gone.mp4" in run.log
