"""What becomes visible does so once, at the worst moments that a worker can be lost.

A life of the scheduler over real workers and a real store in one process, without Ray, since no
kill from outside can be timed to the moment between a rename and its report.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from ffrtmp_ray.cluster.intake import numbered
from ffrtmp_ray.cluster.life import Life
from ffrtmp_ray.cluster.machines import Bundle
from ffrtmp_ray.cluster.protocol import Answer, Order
from ffrtmp_ray.cluster.slots import Node, Slot
from ffrtmp_ray.cluster.submission import submission
from ffrtmp_ray.cluster.workbench import Workbench
from ffrtmp_ray.cluster.worker_link import WorkerDead
from ffrtmp_ray.core.messages import TaskSucceeded
from ffrtmp_ray.core.model import JobState, Worker
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.media.steps import publish as publish_step
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.publish import Publication, publish
from ffrtmp_ray.store.open import migrate, open_store
from ffrtmp_ray.store.protocol import JobRecord, Store
from tests.cluster.farms import QUICK, leftovers, quick_settings
from tests.cluster.media import frame_times, make_clip

pytestmark = pytest.mark.timeout(240)


class Reached:
    """A worker as the scheduler reaches it, until it is cut off; then it works on unheard."""

    def __init__(self, actor: Workbench, on_answer: Callable[[Reached, Answer], None]) -> None:
        self.actor = actor
        self.cut_off = False
        self._on_answer = on_answer

    async def hello(self) -> tuple[int, Worker]:
        return await self.actor.hello()

    async def sync(self, order: Order) -> None:
        self.check()
        await self.actor.sync(order)

    async def poll(self, epoch: int, acknowledged: int) -> Answer:
        answer = await self.actor.poll(epoch, acknowledged)
        self._on_answer(self, answer)
        self.check()
        return answer

    async def tail(self, attempt_id: str) -> str | None:
        return await self.actor.tail(attempt_id)

    async def discard(self, job_id: str, attempts: frozenset[str]) -> None:
        self.check()
        await self.actor.discard(job_id, attempts)

    async def close(self) -> None:
        await self.actor.close()

    def check(self) -> None:
        if self.cut_off:
            raise WorkerDead("it is cut off")


class TwoMachines:
    """Two nodes whose workers live in this process. Killing one does not reach it."""

    def __init__(self, on_answer: Callable[[Reached, Answer], None]) -> None:
        self.workers: dict[str, Reached] = {}
        self._on_answer = on_answer

    def nodes(self) -> list[Node]:
        return [Node("first", "here", 1, 0), Node("second", "here", 1, 0)]

    def create(self, worker: Worker, slot: Slot, settings: Settings) -> Reached:
        reached = Reached(Workbench(worker, settings), self._on_answer)
        self.workers[worker.id] = reached
        return reached

    def find(self, worker_id: str) -> Reached | None:
        return self.workers.get(worker_id)

    def unknown(self, known: set[str]) -> set[str]:
        return set()

    def kill(self, worker_id: str) -> None:
        self.workers[worker_id].cut_off = True

    def request(self, bundles: Sequence[Bundle]) -> None:
        raise AssertionError("nobody gives machines")


class Farm:
    """The life, its machines, and one job in it."""

    def __init__(self, settings: Settings, store: Store, folder: Path) -> None:
        self.on_answer: Callable[[Reached, Answer], None] = lambda reached, answer: None
        self.machines = TwoMachines(lambda reached, answer: self.on_answer(reached, answer))
        self.life = Life(
            settings, self.machines, store, store.take_epoch("test", "1"), store.load()
        )
        self.source = make_clip(folder / "clip.mp4", seconds=1)
        self.target = folder / "out.mp4"

    async def submit(self) -> None:
        spec = JobSpec(input=str(self.source), output=str(self.target), ladder=QUICK)
        event = numbered(submission("job", spec, self.life.settings), 1, self.life.clock.now())
        await self.life.apply([event])

    def record(self) -> JobRecord:
        record = self.life.store.job("job")
        assert record is not None
        return record

    async def completed(self) -> JobRecord:
        while not (record := self.record()).job.state.terminal:  # noqa: ASYNC110  # no event tells
            await asyncio.sleep(0.05)
        assert record.job.state is JobState.COMPLETED, record.job.failure
        return record


@pytest.fixture
async def farm(tmp_path: Path) -> AsyncIterator[Farm]:
    settings = quick_settings(tmp_path / "state", tmp_path)
    migrate(settings.database_url)
    with closing(open_store(settings.database_url, takeover_seconds=10)) as store:
        farm = Farm(settings, store, tmp_path)
        await farm.life.begin()
        course = asyncio.create_task(farm.life.run())
        yield farm
        course.cancel()
        for reached in farm.machines.workers.values():
            await reached.close()


def publications(record: JobRecord) -> list[str | None]:
    return [a.outcome for a in record.attempts if a.task_id == "job-publish"]


async def test_a_worker_that_is_lost_between_rename_and_report_publishes_once(farm: Farm) -> None:
    published: list[tuple[int, int]] = []

    def lose_the_report(reached: Reached, answer: Answer) -> None:
        ends = [report for _, report in answer.reports if isinstance(report, TaskSucceeded)]
        if not published and any("-publish-" in end.attempt_id for end in ends):
            published.append(identity(farm.target))
            reached.cut_off = True

    farm.on_answer = lose_the_report
    await farm.submit()
    record = await farm.completed()

    assert publications(record) == ["worker_lost", "succeeded"]
    assert published == [identity(farm.target)], "it was not made a second time"
    assert frame_times(farm.target) == frame_times(farm.source)
    assert [t.target for t in record.transitions].count(JobState.COMPLETED) == 1
    assert leftovers(farm.life.settings, farm.target.parent, "job") == []


async def test_a_frozen_worker_that_wakes_up_later_publishes_nothing(
    farm: Farm, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen, wake = threading.Event(), threading.Event()
    woken: list[Publication] = []

    def freeze_the_first(staged: Path, target: Path) -> Publication:
        if frozen.is_set():
            return publish(staged, target)
        frozen.set()
        wake.wait()
        woken.append(publish(staged, target))
        return woken[0]

    monkeypatch.setattr(publish_step, "publish", freeze_the_first)
    await farm.submit()
    await asyncio.to_thread(frozen.wait)
    (attempt,) = [a for a in farm.record().attempts if a.task_id == "job-publish"]
    farm.life.lost(attempt.worker_id, "it is frozen")
    record = await farm.completed()
    assert publications(record) == ["worker_lost", "succeeded"]
    before = identity(farm.target)

    wake.set()
    actor = farm.machines.workers[attempt.worker_id].actor
    while attempt.id in actor._held:  # noqa: ASYNC110  # no event tells
        await asyncio.sleep(0.05)

    assert woken == [Publication.PUBLISHED]
    assert identity(farm.target) == before, "it has changed nothing"
    assert farm.record() == record, "and nobody has listened to it"
    assert leftovers(farm.life.settings, farm.target.parent, "job") == []


def identity(path: Path) -> tuple[int, int]:
    """The file that a name stands for, and when that was last changed or renamed."""
    status = path.stat()
    return status.st_ino, status.st_ctime_ns
