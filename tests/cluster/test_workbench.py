"""A worker under orders that are late, repeated, reordered or lost, with real tasks and ffmpeg."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from ffrtmp_ray.cluster.protocol import PROTOCOL, Answer, Order
from ffrtmp_ray.cluster.workbench import Workbench
from ffrtmp_ray.core.messages import (
    Level,
    Report,
    TaskContinued,
    TaskFailed,
    TaskStarted,
    TaskStopped,
    TaskSucceeded,
    TaskSuspended,
)
from ffrtmp_ray.core.model import NewTask, Resources, Worker
from ffrtmp_ray.media.assignment import Assignment
from ffrtmp_ray.media.plan import first_task
from ffrtmp_ray.media.spec import JobSpec, Ladder
from ffrtmp_ray.settings import Settings
from tests.cluster.farms import QUICK, SLOW, quick_settings
from tests.cluster.media import make_clip

IDENTITY = Worker("w", "node", "host", "cpu", Resources(2, 0, 2, 2))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return make_clip(path, seconds=20, size="640x360")


@pytest.fixture
def settings(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return quick_settings(tmp_path / "state", tmp_path_factory.getbasetemp())


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[Workbench]:
    actor = Workbench(IDENTITY, settings)
    yield actor
    await actor.close()
    assert ffmpegs() == []


def ffmpegs() -> list[psutil.Process]:
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "ffmpeg" in " ".join(child.cmdline())]


def assigned(task: NewTask, attempt_id: str) -> Assignment:
    return Assignment(attempt_id, f"job-{task.name}", "job", task.kind, task.payload, cpus=2)


def plan(clip: Path, tmp_path: Path, settings: Settings, ladder: Ladder) -> Assignment:
    spec = JobSpec(input=str(clip), output=str(tmp_path / "out.mp4"), ladder=ladder)
    return assigned(first_task(spec, settings), "job-plan-1-1")


def order(revision: int, *assignments: Assignment, epoch: int = 1, **levels: Level) -> Order:
    wanted = {a.attempt_id: levels.get("level", Level.RUN) for a in assignments}
    return Order(epoch, revision, wanted, {a.attempt_id: a for a in assignments})


async def told(
    worker: Workbench, kind: type[Report], *, acknowledged: int = 0, epoch: int = 1
) -> tuple[int, Report]:
    """Poll until the worker reports a `kind`; acknowledges nothing on the way."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        answer = await worker.poll(epoch, acknowledged)
        for sequence, report in answer.reports:
            if isinstance(report, kind):
                return sequence, report
        await asyncio.sleep(0.01)
    raise AssertionError(f"no {kind.__name__} was reported")


async def encode(worker: Workbench, planned: Assignment) -> Assignment:
    """Have the job planned; gives its encode task, ready to be ordered."""
    await worker.sync(order(1, planned))
    _, report = await told(worker, TaskSucceeded)
    assert isinstance(report, TaskSucceeded)
    task = next(task for task in report.spawn if task.kind == "encode")
    return assigned(task, "job-encode0-1-1")


async def stopped(process: psutil.Process) -> None:
    """A signal takes its time with a process of many threads."""
    until = time.monotonic() + 5
    while process.status() != psutil.STATUS_STOPPED:
        assert time.monotonic() < until, "it goes on"
        await asyncio.sleep(0.01)


async def running(worker: Workbench) -> psutil.Process:
    until = time.monotonic() + 20
    while not (found := ffmpegs()):
        assert time.monotonic() < until, "no ffmpeg was started"
        await asyncio.sleep(0.02)
    return found[0]


async def test_it_says_which_protocol_it_speaks_and_what_it_can_do(worker: Workbench) -> None:
    protocol, said = await worker.hello()
    assert protocol == PROTOCOL
    assert {"libx264", "libx265", "libsvtav1", "libvpx-vp9"} <= said.capabilities


async def test_a_repeated_order_starts_nothing_twice(
    worker: Workbench, clip: Path, tmp_path: Path, settings: Settings
) -> None:
    planned = plan(clip, tmp_path, settings, QUICK)
    for revision in (1, 1, 2, 3):
        await worker.sync(order(revision, planned))
    await told(worker, TaskSucceeded)
    await worker.sync(order(4, planned))
    answer = await worker.poll(1, 0)
    assert [type(report) for _, report in answer.reports] == [TaskStarted, TaskSucceeded]


async def test_a_late_order_changes_nothing(
    worker: Workbench, clip: Path, tmp_path: Path, settings: Settings
) -> None:
    await worker.sync(order(2))
    await worker.sync(order(1, plan(clip, tmp_path, settings, QUICK)))
    answer = await worker.poll(1, 0)
    assert answer.reports == ()
    assert answer.revision == 2


async def test_an_order_of_an_older_epoch_changes_nothing(
    worker: Workbench, clip: Path, tmp_path: Path, settings: Settings
) -> None:
    await worker.sync(order(1, epoch=2))
    await worker.sync(order(9, plan(clip, tmp_path, settings, QUICK), epoch=1))
    assert (await worker.poll(2, 0)).reports == ()


async def test_reports_come_again_until_they_are_acknowledged(
    worker: Workbench, clip: Path, tmp_path: Path, settings: Settings
) -> None:
    await worker.sync(order(1, plan(clip, tmp_path, settings, QUICK)))
    sequence, report = await told(worker, TaskSucceeded)
    lost_answer = await worker.poll(1, 0)
    assert lost_answer.reports[-1] == (sequence, report)
    assert (await worker.poll(1, sequence)).reports == ()


async def test_a_new_scheduler_gets_what_the_old_one_has_not_acknowledged(
    worker: Workbench, clip: Path, tmp_path: Path, settings: Settings
) -> None:
    await worker.sync(order(1, plan(clip, tmp_path, settings, QUICK)))
    sequence, report = await told(worker, TaskSucceeded)
    answer = await worker.poll(2, 0)
    assert answer.reports[-1] == (sequence, report)
    superseded = await worker.poll(1, sequence)
    assert superseded == Answer(epoch=2, revision=0)
    assert (await worker.poll(2, 0)).reports[-1] == (sequence, report)


async def test_a_new_scheduler_is_answered_at_once_even_when_its_order_came_first(
    settings: Settings,
) -> None:
    worker = Workbench(IDENTITY, settings.model_copy(update={"poll_seconds": 60.0}))
    try:
        for epoch in (1, 2):
            await worker.sync(order(1, epoch=epoch))
            answer = await asyncio.wait_for(worker.poll(epoch, 0), 10)
            assert answer.epoch == epoch
        assert answer.usage is not None
    finally:
        await worker.close()


async def test_what_is_not_named_stops_and_never_starts_again(
    worker: Workbench, clip: Path, tmp_path: Path, settings: Settings
) -> None:
    task = await encode(worker, plan(clip, tmp_path, settings, SLOW))
    await worker.sync(order(2, task))
    process = await running(worker)
    await worker.sync(order(3))
    await told(worker, TaskStopped)
    assert not process.is_running()
    await worker.sync(order(4, task))
    assert task.attempt_id in (await worker.poll(1, 0)).attempts, "its end is not acknowledged"
    assert ffmpegs() == []


async def test_levels_suspend_and_continue_the_process_itself(
    worker: Workbench, clip: Path, tmp_path: Path, settings: Settings
) -> None:
    task = await encode(worker, plan(clip, tmp_path, settings, SLOW))
    await worker.sync(order(2, task))
    process = await running(worker)
    await worker.sync(order(3, task, level=Level.SUSPEND))
    await told(worker, TaskSuspended)
    await stopped(process)
    await worker.sync(order(2, task))  # a late one
    assert process.status() == psutil.STATUS_STOPPED
    await worker.sync(order(4, task))
    await told(worker, TaskContinued)
    assert process.status() != psutil.STATUS_STOPPED


async def test_progress_and_usage_come_with_every_answer(
    worker: Workbench, clip: Path, tmp_path: Path, settings: Settings
) -> None:
    task = await encode(worker, plan(clip, tmp_path, settings, SLOW))
    await worker.sync(order(2, task))
    until = time.monotonic() + 30
    while time.monotonic() < until:
        answer = await worker.poll(1, 0)
        if answer.progress and answer.progress[task.attempt_id].fraction > 0:
            break
        await asyncio.sleep(0.05)
    assert 0 < answer.progress[task.attempt_id].fraction < 1
    assert answer.usage is not None
    assert answer.usage.worker_memory_bytes > 0


async def test_bad_input_is_reported_as_a_failure_with_its_reason(
    worker: Workbench, tmp_path: Path, settings: Settings
) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("no video\n" * 100)
    await worker.sync(order(1, plan(text, tmp_path, settings, QUICK)))
    _, report = await told(worker, TaskFailed)
    assert isinstance(report, TaskFailed)
    assert report.failure.kind == "bad_input"
