"""Attempts one by one: what they stage and publish, how they obey, and how they fail."""

from __future__ import annotations

import asyncio
import errno
import json
import threading
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import obstore
import psutil
import pytest
from msgspec import structs
from obstore.store import ObjectStore

from ffrtmp_ray.core.model import FailureKind, NewTask
from ffrtmp_ray.errors import StorageUnavailable
from ffrtmp_ray.media.assignment import Stopped, Succeeded
from ffrtmp_ray.media.plan import first_task
from ffrtmp_ray.media.plan.payloads import FinishPayload
from ffrtmp_ray.media.spec import Codec, Effort, JobSpec
from ffrtmp_ray.media.tasks import TaskRun
from ffrtmp_ray.media.toolbox import Toolbox
from ffrtmp_ray.storage.publish import Publication, staging_path
from ffrtmp_ray.storage.publish_objects import publish_objects
from tests.clips import Clips
from tests.media.pipeline import (
    assert_nothing_left,
    assignment,
    eventually,
    failure_of,
    listed,
    rendition,
    run_job,
    spec,
    tasks_of,
)

# ------------------------------------------------------------------------------ step by step


async def _publish_task(spec: JobSpec, toolbox: Toolbox) -> NewTask:
    outcome = await run_job(spec, toolbox, up_to="finish", apart=True)
    assert isinstance(outcome.last, Succeeded), outcome.last
    (publish,) = outcome.last.spawn
    return publish


async def test_finishing_stages_beside_the_output_and_publishes_nothing(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    publish = await _publish_task(spec(clips("silent.mp4"), target), toolbox)
    assert publish.final
    assert listed(out) == [staging_path(target, "job-finish-1-1")]


async def test_publishing_twice_is_publishing_once(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    publish = await _publish_task(spec(clips("silent.mp4"), target), toolbox)
    first = await TaskRun(assignment(publish, {}), toolbox).run()
    content = target.read_bytes()
    again = replace(assignment(publish, {}), attempt_id="job-publish-2-2")
    assert await TaskRun(again, toolbox).run() == first
    assert target.read_bytes() == content
    assert_nothing_left(toolbox, out, target)


def test_of_a_job_that_ended_while_it_published_objects_nothing_stays(
    toolbox: Toolbox, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"{bucket}/film"
    staged = toolbox.workspace.make("job", "job-finish-1-1") / "output"
    (staged / "a").mkdir(parents=True)
    (staged / "a" / "1.m4s").write_text("a segment")
    toolbox.note_publishing(target, "job/job-finish-1-1")
    put = obstore.put

    def fail_after_a_segment(to: ObjectStore, key: str, *rest: object, **options: object) -> None:
        put(to, key, *rest, **options)  # type: ignore[arg-type]
        if key.endswith(".m4s"):
            raise ConnectionError("the store is gone")

    with monkeypatch.context() as patch:
        patch.setattr(obstore, "put", fail_after_a_segment)
        with pytest.raises(StorageUnavailable):
            publish_objects(staged, target, [], "job/job-finish-1-1")

    toolbox.clear_up("job", ["job-publish-1-1"])

    assert publish_objects(staged, target, [], "other/other-finish-1-1") is Publication.PUBLISHED


async def test_an_output_that_appears_meanwhile_is_left_alone_and_a_retry_goes_on(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    publish = await _publish_task(spec(clips("silent.mp4"), target), toolbox)
    target.write_text("theirs")
    kind, reason = failure_of(await TaskRun(assignment(publish, {}), toolbox).run())
    assert kind is FailureKind.OUTPUT_EXISTS
    assert "never replaced" in reason
    assert target.read_text() == "theirs"
    target.unlink()
    assert isinstance(await TaskRun(assignment(publish, {}), toolbox).run(), Succeeded)


async def test_a_staged_output_that_is_gone_fails(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    publish = await _publish_task(spec(clips("silent.mp4"), target), toolbox)
    staging_path(target, "job-finish-1-1").unlink()
    assert (
        failure_of(await TaskRun(assignment(publish, {}), toolbox).run())[0] is FailureKind.CRASHED
    )


async def test_a_repeated_finish_takes_the_place_of_one_that_died(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    stale = staging_path(target, "job-finish-1-7")
    stale.write_bytes(b"half")
    await _publish_task(spec(clips("silent.mp4"), target), toolbox)
    assert not stale.exists()


async def test_discarding_a_job_finds_what_it_staged(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    job = spec(clips("silent.mp4"), out / "a.mp4")
    await _publish_task(job, toolbox)
    kept = toolbox.workspace.attempt("job", "job-encode0-1-1")
    for attempt_id in toolbox.workspace.attempts("job") - {"job-encode0-1-1"}:
        await asyncio.to_thread(toolbox.remove_attempt, "job", attempt_id)
    assert listed(out) == []
    assert (kept / "a.mp4").is_file()
    assert toolbox.workspace.attempts("job") == {"job-encode0-1-1"}


async def test_a_broken_encode_is_not_staged(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    """A result that promises more frames than its file has, as a lost write would leave it."""
    job = spec(clips("silent.mp4"), out / "a.mp4")
    tasks = await tasks_of(job, toolbox)
    encoded = await TaskRun(assignment(tasks["encode0"], {}), toolbox).run()
    assert isinstance(encoded, Succeeded)
    result = json.loads(json.dumps(encoded.result))
    result["files"]["a"]["frames"] += 1
    ended = await TaskRun(assignment(tasks["finish"], {"encode0": result}), toolbox).run()
    kind, reason = failure_of(ended)
    assert kind is FailureKind.INEXACT
    assert "the number of frames is 50, not 51" in reason
    assert listed(out) == []


async def test_chunks_of_different_encoders_are_not_joined(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    job = spec(clips("silent.mp4"), out / "a.mp4")
    tasks = await tasks_of(job, toolbox)
    encoded = await TaskRun(assignment(tasks["encode0"], {}), toolbox).run()
    assert isinstance(encoded, Succeeded)
    other = json.loads(json.dumps(encoded.result))
    other["files"]["a"]["extradata"] = "another"
    finish = FinishPayload.model_validate(tasks["finish"].payload)
    two = finish.model_copy(update={"chunks": (Fraction(2), Fraction(2))})
    task = structs.replace(
        tasks["finish"], payload=two.model_dump(mode="json"), waits_for=("encode0", "encode1")
    )
    results = {"encode0": encoded.result, "encode1": other}
    kind, reason = failure_of(await TaskRun(assignment(task, results), toolbox).run())
    assert kind is FailureKind.INEXACT
    assert "cannot be joined" in reason


# ------------------------------------------------------------------------------ being ordered about


def _slow(clips: Clips, out: Path) -> JobSpec:
    """Half a minute of encoding."""
    slow = rendition(codec=Codec.AV1, effort=Effort.THOROUGH, crf=1)
    return spec(clips("plain.mp4"), out / "a.mp4", slow)


async def test_stopping_an_encode_ends_its_process_and_removes_its_files(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    task = (await tasks_of(_slow(clips, out), toolbox))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    running = asyncio.create_task(run.run())
    await eventually(lambda: run._step.processes.pids)
    (pid,) = run._step.processes.pids
    run.stop()
    assert await running == Stopped()
    assert not psutil.pid_exists(pid)
    assert toolbox.workspace.attempts("job") == frozenset()


async def test_suspending_an_encode_stops_its_process_until_it_is_resumed(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    task = (await tasks_of(_slow(clips, out), toolbox))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    running = asyncio.create_task(run.run())
    await eventually(lambda: run._step.processes.pids)
    process = psutil.Process(run._step.processes.pids[0])
    run.suspend()
    await eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    run.resume()
    await eventually(lambda: process.status() != psutil.STATUS_STOPPED)
    run.stop()
    assert await running == Stopped()


async def test_an_encode_that_is_suspended_from_the_start_waits(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    task = (await tasks_of(spec(clips("silent.mp4"), out / "a.mp4"), toolbox))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    run.suspend()
    running = asyncio.create_task(run.run())
    await eventually(lambda: toolbox.workspace.attempts("job"))
    assert run._step.processes.pids == ()
    run.resume()
    assert isinstance(await running, Succeeded)


async def test_a_task_that_is_stopped_before_it_starts_does_nothing(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    task = (await tasks_of(_slow(clips, out), toolbox))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    run.stop()
    assert await run.run() == Stopped()
    assert toolbox.workspace.attempts("job") == frozenset()


async def test_stopping_a_plan_does_not_wait_for_its_probe(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    (pid,) = toolbox.prober.pids
    psutil.Process(pid).suspend()  # a file that is hard to look into
    plan = first_task(spec(clips("plain.mp4"), out / "a.mp4"), toolbox.settings)
    run = TaskRun(assignment(plan, {}), toolbox)
    running = asyncio.create_task(run.run())
    await eventually(lambda: toolbox.prober._busy)
    run.stop()
    assert await running == Stopped()
    assert not psutil.pid_exists(pid)


async def test_stopping_waits_for_the_disk_so_that_nothing_appears_afterwards(
    toolbox: Toolbox, clips: Clips, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = (await tasks_of(_slow(clips, out), toolbox))["encode0"]
    make, asked, allowed = toolbox.workspace.make, threading.Event(), threading.Event()

    def slow_disk(*ids: str) -> Path:
        asked.set()
        allowed.wait(30)
        return make(*ids)

    monkeypatch.setattr(toolbox.workspace, "make", slow_disk)
    run = TaskRun(assignment(task, {}), toolbox)
    running = asyncio.create_task(run.run())
    await asyncio.to_thread(asked.wait, 30)
    run.stop()
    allowed.set()
    assert await running == Stopped()
    assert toolbox.workspace.attempts("job") == frozenset()


async def test_canceling_the_run_itself_leaves_nothing_behind(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    task = (await tasks_of(_slow(clips, out), toolbox))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    running = asyncio.create_task(run.run())
    await eventually(lambda: run._step.processes.pids)
    (pid,) = run._step.processes.pids
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not psutil.pid_exists(pid)
    assert toolbox.workspace.attempts("job") == frozenset()


async def test_progress_reaches_the_end(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    task = (await tasks_of(spec(clips("plain.mp4"), out / "a.mp4"), toolbox))["encode0"]
    run = TaskRun(assignment(task, {}), toolbox)
    assert run.progress.fraction == 0
    await run.run()
    assert run.progress.fraction == 1


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

    task = (await tasks_of(spec(clips("silent.mp4"), out / "a.mp4"), toolbox))["encode0"]
    monkeypatch.setattr(toolbox.workspace, "make", fail)
    run = TaskRun(assignment(task, {}), toolbox)
    failed, reason = failure_of(await run.run())
    assert failed is kind
    assert said in reason
    if isinstance(error, KeyError):
        assert "Traceback" in run.log


async def test_a_source_that_is_removed_while_it_waits_fails_its_encode(
    toolbox: Toolbox, clips: Clips, out: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "gone.mp4"
    clip.write_bytes(clips("silent.mp4").read_bytes())
    task = (await tasks_of(spec(clip, out / "a.mp4"), toolbox))["encode0"]
    clip.unlink()
    run = TaskRun(assignment(task, {}), toolbox)
    kind, reason = failure_of(await run.run())
    assert kind is FailureKind.BAD_INPUT
    assert "gone.mp4 was removed while the job ran" in reason
