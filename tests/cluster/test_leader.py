"""Who of two schedulers is called. They are made up, Ray's errors are its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import ActorUnavailableError, RayTaskError

from ffrtmp_ray.cluster.leader import Deposed, Leader
from ffrtmp_ray.cluster.names import SCHEDULERS
from ffrtmp_ray.errors import SchedulerUnavailable


class MadeUp:
    """Leads or stands by; `silent` answers nothing, as one that has just died."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.leading: bool | None = False
        self.silent = False
        self.trouble: Exception | None = None
        ask = SimpleNamespace(remote=self._leads)
        self.leads = SimpleNamespace(options=lambda **_: ask)

    async def who(self) -> str:
        await self._speak()
        if not self.leading:
            raise RayTaskError("who", "", SchedulerUnavailable("stands by"))
        return self.name

    async def _leads(self) -> bool | None:
        await self._speak()
        return self.leading

    async def _speak(self) -> None:
        if self.silent:
            await asyncio.Event().wait()
        if self.trouble is not None:
            raise self.trouble


class Two:
    def __init__(self) -> None:
        self.there = dict(zip(SCHEDULERS, (MadeUp("a"), MadeUp("b")), strict=True))
        self.a, self.b = self.there.values()
        self.leader = Leader(self.find)

    def find(self, name: str) -> MadeUp:
        try:
            return self.there[name]
        except KeyError:
            raise SchedulerUnavailable("there is none") from None

    async def who(self) -> str:
        return await self.leader.call(_who)


def _who(scheduler: MadeUp) -> Awaitable[str]:
    return scheduler.who()


@pytest.fixture
def two() -> Two:
    """`a` leads, `b` stands by."""
    two = Two()
    two.a.leading = True
    return two


def take_over(two: Two) -> None:
    two.a.leading = None
    two.b.leading = True


async def test_a_call_to_one_that_is_silent_is_given_up_as_soon_as_the_other_one_leads(
    two: Two,
) -> None:
    assert await two.who() == "a"
    two.a.silent = True
    call = asyncio.create_task(two.who())
    _, waiting = await asyncio.wait({call}, timeout=0.3)
    assert waiting, "nobody else leads yet"

    take_over(two)

    with pytest.raises(Deposed):
        await asyncio.wait_for(call, 10)
    assert await two.who() == "b"


async def test_callers_that_are_given_up_together_agree_on_the_new_leader(two: Two) -> None:
    take_over(two)
    two.a.silent = True

    answers = await asyncio.gather(*(two.who() for _ in range(4)), return_exceptions=True)

    assert [type(answer) for answer in answers] == [Deposed] * 4
    assert await two.who() == "b"


@pytest.mark.parametrize(
    "fail",
    [
        lambda a: setattr(a, "trouble", ActorUnavailableError("restarting", None)),
        lambda a: None,
    ],
    ids=["one that is started again", "one that stands by"],
)
async def test_the_next_call_goes_to_the_other_one(
    two: Two, fail: Callable[[MadeUp], object]
) -> None:
    take_over(two)
    fail(two.a)

    with pytest.raises((ActorUnavailableError, RayTaskError)):
        await two.who()
    assert await two.who() == "b"


async def test_one_that_leads_and_has_not_started_yet_is_called_again(two: Two) -> None:
    starting = two.a

    async def not_yet() -> str:
        raise RayTaskError("who", "", SchedulerUnavailable("still starting"))

    with pytest.raises(RayTaskError):
        await two.leader.call(lambda _: not_yet())

    called: list[Any] = []
    await two.leader.call(lambda scheduler: _noted(called, scheduler))
    assert called == [starting]


async def _noted(called: list[Any], scheduler: MadeUp) -> None:
    called.append(scheduler)


async def test_where_there_is_one_alone_it_is_called_again(two: Two) -> None:
    del two.there[SCHEDULERS[1]]
    two.a.trouble = ActorUnavailableError("restarting", None)
    with pytest.raises(ActorUnavailableError):
        await two.who()
    two.a.trouble = None
    assert await two.who() == "a"


async def test_a_look_finds_the_leader_and_whether_another_one_stands_by(two: Two) -> None:
    assert await two.leader.look(), "b stands by"
    take_over(two)
    assert not await two.leader.look(), "a is not ready for it"
    assert await two.who() == "b"
    two.a.silent = True
    assert not await two.leader.look(), "nor does it answer"
