"""The scheduler while its store cannot be had: it lives, says why, and takes it up when it can."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ffrtmp_ray.cluster import renewal
from ffrtmp_ray.cluster.scheduler_actor import SchedulerActor
from ffrtmp_ray.errors import StoreUnavailable, Superseded
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.store.memory import MemoryStore, Rows
from ffrtmp_ray.store.open import migrate
from ffrtmp_ray.store.protocol import JobQuery
from tests.cluster.farms import NoMachines


@pytest.fixture
def obstacle(tmp_path: Path) -> Path:
    """A file in the place of the database's folder."""
    path = tmp_path / "state"
    path.touch()
    return path


@pytest.fixture
async def scheduler(obstacle: Path) -> AsyncIterator[SchedulerActor]:
    actor = SchedulerActor(Settings(state_dir=obstacle), "test", NoMachines())
    yield actor
    actor._course.cancel()


def make_way(obstacle: Path) -> None:
    obstacle.unlink()
    migrate(Settings(state_dir=obstacle).database_url)


async def refused(scheduler: SchedulerActor) -> str:
    """What is said of the store, once it has been tried."""
    until = asyncio.get_running_loop().time() + 10
    while "database" not in (reason := (await scheduler.ready()).reasons[0]):
        assert asyncio.get_running_loop().time() < until, reason
        await asyncio.sleep(0.01)
    return reason


async def test_ready_and_requests_say_why_the_store_cannot_be_had(
    scheduler: SchedulerActor, obstacle: Path
) -> None:
    assert f"folder {obstacle} cannot be made" in await refused(scheduler)
    ready = await scheduler.ready()
    assert not ready.ready
    assert not ready.store
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="cannot be made"):
            await scheduler.jobs(JobQuery())


async def test_it_takes_the_store_up_as_soon_as_it_can_be_had(
    scheduler: SchedulerActor, obstacle: Path
) -> None:
    await refused(scheduler)
    scheduler._course.cancel()
    taking = asyncio.create_task(scheduler._take_store())
    make_way(obstacle)

    _, epoch = await asyncio.wait_for(taking, 10)

    assert epoch == 1


def test_a_claim_is_renewed_while_the_event_loop_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "SEEN_SECONDS", 0.05)
    rows = Rows()
    ours = MemoryStore(rows, takeover_seconds=1.0)
    other = MemoryStore(rows, takeover_seconds=1.0)
    epoch = ours.take_epoch("here", "1")

    troubles: list[BaseException] = []
    until = time.monotonic() + 2.0
    with renewal.renewing(ours, epoch, troubles.append):
        while time.monotonic() < until:  # no event loop would get a turn
            with pytest.raises(Superseded):
                other.take_epoch("there", "1")
    assert troubles == []


def test_who_is_superseded_while_it_loads_ends_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewal, "SEEN_SECONDS", 0.01)
    store = MemoryStore()
    epoch = store.take_epoch("here", "1")
    ended = threading.Event()

    def end(error: BaseException) -> None:
        assert isinstance(error, Superseded)
        ended.set()

    with renewal.renewing(store, epoch, end):
        store.take_epoch("here", "1")
        assert ended.wait(10)
