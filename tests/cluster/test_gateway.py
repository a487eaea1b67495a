"""How callers' submissions travel together. The scheduler is made up; the gateway is real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from ffrtmp_ray.cluster.gateway import MOST_AT_ONCE, Gateway
from ffrtmp_ray.cluster.leader import Leader
from ffrtmp_ray.cluster.names import SCHEDULER
from ffrtmp_ray.cluster.scheduler_actor import About
from ffrtmp_ray.core.messages import JobSubmitted
from ffrtmp_ray.core.model import Job
from ffrtmp_ray.errors import Conflict, InputRefused, Problem, SchedulerUnavailable
from ffrtmp_ray.media.spec import MOST_IN_BATCH, JobSpec
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.views import JobView
from tests.cluster.farms import QUICK


class MadeUpScheduler:
    """Answers a call when it is let; refuses jobs of the owner `nobody`."""

    def __init__(self, root: Path) -> None:
        self.calls: list[Sequence[JobSubmitted]] = []
        self.let = asyncio.Event()
        self.trouble: Exception | None = None
        settings = Settings(state_dir=root, input_roots=(root,), output_roots=(root,))
        self.handle = SimpleNamespace(
            about=SimpleNamespace(remote=lambda: self._about(settings)),
            submit=SimpleNamespace(remote=self._submit),
        )

    async def _about(self, settings: Settings) -> About:
        return About("0", settings)

    async def _submit(self, jobs: Sequence[JobSubmitted], *, again: bool) -> list[Job | Problem]:
        self.calls.append(jobs)
        await self.let.wait()
        if self.trouble is not None:
            raise self.trouble
        refusal = Conflict("not for nobody").problem
        return [refusal if each.job.owner == "nobody" else each.job for each in jobs]


@pytest.fixture
def scheduler(tmp_path: Path) -> MadeUpScheduler:
    (tmp_path / "in.mp4").touch()
    return MadeUpScheduler(tmp_path)


@pytest.fixture
def gateway(scheduler: MadeUpScheduler) -> Gateway:
    def find(name: str) -> object:
        if name != SCHEDULER:
            raise SchedulerUnavailable("none stands by")
        return scheduler.handle

    return Gateway(Leader(find))


def spec(root: Path, number: int, **fields: object) -> JobSpec:
    return JobSpec.model_validate(
        {"input": str(root / "in.mp4"), "output": str(root / f"{number}.mp4"), "ladder": QUICK}
        | fields
    )


async def waiting(gateway: Gateway, number: int) -> None:
    await _until(lambda: len(gateway._waiting) == number)


async def called(scheduler: MadeUpScheduler, number: int) -> None:
    await _until(lambda: len(scheduler.calls) == number)


async def _until(condition: Callable[[], bool]) -> None:
    end = asyncio.get_running_loop().time() + 10
    while not condition():
        assert asyncio.get_running_loop().time() < end
        await asyncio.sleep(0.001)


async def test_submissions_that_arrive_while_a_call_is_in_flight_go_together_in_the_next(
    gateway: Gateway, scheduler: MadeUpScheduler, tmp_path: Path
) -> None:
    async with asyncio.TaskGroup() as callers:
        first = callers.create_task(gateway.submit(spec(tmp_path, 0)))
        await called(scheduler, 1)
        later = [callers.create_task(gateway.submit(spec(tmp_path, n))) for n in range(1, 20)]
        await waiting(gateway, 19)
        scheduler.let.set()

    assert [len(call) for call in scheduler.calls] == [1, 19]
    outputs = [task.result().output for task in (first, *later)]
    assert outputs == [str(tmp_path / f"{number}.mp4") for number in range(20)]


async def test_a_batch_is_one_call_however_large(
    gateway: Gateway, scheduler: MadeUpScheduler, tmp_path: Path
) -> None:
    batch = [spec(tmp_path, number) for number in range(MOST_IN_BATCH)]
    async with asyncio.TaskGroup() as callers:
        callers.create_task(gateway.submit(spec(tmp_path, 0)))
        await called(scheduler, 1)
        for _ in range(2):
            callers.create_task(gateway.submit_many(batch))
        await waiting(gateway, 2)
        scheduler.let.set()

    assert MOST_IN_BATCH > MOST_AT_ONCE
    assert [len(call) for call in scheduler.calls] == [1, MOST_IN_BATCH, MOST_IN_BATCH]


async def test_each_job_of_a_batch_is_answered_in_its_place(
    gateway: Gateway, scheduler: MadeUpScheduler, tmp_path: Path
) -> None:
    scheduler.let.set()
    first, missing, refused, last = await gateway.submit_many(
        [
            spec(tmp_path, 0),
            spec(tmp_path, 1, input=str(tmp_path / "none.mp4")),
            spec(tmp_path, 2, owner="nobody"),
            spec(tmp_path, 3),
        ]
    )

    assert isinstance(first, JobView)
    assert isinstance(last, JobView)
    assert [first.output, last.output] == [str(tmp_path / "0.mp4"), str(tmp_path / "3.mp4")]
    assert isinstance(missing, Problem)
    assert isinstance(refused, Problem)
    assert [missing.code, refused.code] == ["InputRefused", "Conflict"]
    assert [len(call) for call in scheduler.calls] == [3], "what was refused here was not sent"


async def test_of_those_that_travel_together_a_refusal_is_raised_for_its_own_caller_only(
    gateway: Gateway, scheduler: MadeUpScheduler, tmp_path: Path
) -> None:
    scheduler.let.set()
    fine, refused = await asyncio.gather(
        gateway.submit(spec(tmp_path, 0)),
        gateway.submit(spec(tmp_path, 1, owner="nobody")),
        return_exceptions=True,
    )

    assert not isinstance(fine, BaseException)
    assert isinstance(refused, Conflict)
    with pytest.raises(InputRefused):
        await gateway.submit(spec(tmp_path, 2, input="/nosuch/file.mp4"))


async def test_a_call_that_fails_fails_for_all_in_it_and_the_next_one_is_made(
    gateway: Gateway, scheduler: MadeUpScheduler, tmp_path: Path
) -> None:
    scheduler.let.set()
    scheduler.trouble = RuntimeError("broken")
    answers = await asyncio.gather(
        *(gateway.submit(spec(tmp_path, number)) for number in range(3)), return_exceptions=True
    )
    scheduler.trouble = None

    assert [str(answer) for answer in answers] == ["broken"] * 3
    assert (await gateway.submit(spec(tmp_path, 4))).output == str(tmp_path / "4.mp4")


async def test_a_caller_that_goes_away_leaves_the_others_their_answers(
    gateway: Gateway, scheduler: MadeUpScheduler, tmp_path: Path
) -> None:
    gone = asyncio.create_task(gateway.submit(spec(tmp_path, 0)))
    await called(scheduler, 1)
    stays = asyncio.create_task(gateway.submit(spec(tmp_path, 1)))
    await waiting(gateway, 1)
    gone.cancel()
    scheduler.let.set()

    assert (await stays).output == str(tmp_path / "1.mp4")
    with pytest.raises(asyncio.CancelledError):
        await gone
