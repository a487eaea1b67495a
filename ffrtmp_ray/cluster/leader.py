"""Finds the scheduler that leads, of the two that there may be, for those who call it.

Ray says of an actor that has died and is started again that it is unavailable, but only after one
to two seconds in which a call is answered by nobody. The other one may have taken over long before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

from ray.exceptions import RayActorError, RayError, RayTaskError

from ffrtmp_ray.cluster.actors import HEALTH
from ffrtmp_ray.cluster.names import SCHEDULERS
from ffrtmp_ray.errors import SchedulerUnavailable

DOUBT_SECONDS = 0.1
"""A call that takes longer makes one ask whether the other one leads by now: a millisecond."""
READY_SECONDS = 3.0
"""After which a scheduler that has not said that it is ready is not."""

T = TypeVar("T")
Scheduler: TypeAlias = Any
"""Ray's handle of a SchedulerActor; what its remote methods return, Ray does not say."""


class Deposed(Exception):
    """While a call was waited for, another scheduler has taken over."""


class Leader:
    """Used from one event loop. `find` gives the scheduler of a name, or raises
    SchedulerUnavailable."""

    def __init__(self, find: Callable[[str], Scheduler]) -> None:
        self._find = find
        self._names = SCHEDULERS
        """The one that led when last heard of is the first."""

    async def call(self, call: Callable[[Scheduler], Awaitable[T]]) -> T:
        """What the one that leads, as far as is known, answers.

        Raises what that one raises, SchedulerUnavailable when there is none, and Deposed when
        another one turns out to lead before it has answered. The next call goes to the other one,
        if there is one and the one that was called does not lead.
        """
        name, other = self._names
        answer = asyncio.ensure_future(call(self._find(name)))
        try:
            while not (await asyncio.wait({answer}, timeout=DOUBT_SECONDS))[0]:
                doubt = asyncio.ensure_future(self._leads(other))
                await asyncio.wait({answer, doubt}, return_when=asyncio.FIRST_COMPLETED)
                if not answer.done() and doubt.result():
                    self._believe(other)
                    raise Deposed
                doubt.cancel()
            return await answer
        except RayActorError:
            self._believe(other)
            raise
        except RayTaskError as error:
            if isinstance(error.cause, SchedulerUnavailable) and not await self._leads(name):
                self._believe(other)
            raise
        finally:
            answer.cancel()

    def _believe(self, name: str) -> None:
        """Take that one for the leader, if it is there."""
        with suppress(SchedulerUnavailable):
            self._find(name)
            if name != self._names[0]:
                self._names = (self._names[1], self._names[0])

    async def look(self) -> bool:
        """Ask all who leads, and keep it in mind; whether another one stands by for it.

        Waits for no answer longer than for that of the leader, and a moment.
        """
        asked = {asyncio.ensure_future(self._leads(name)): name for name in self._names}
        leader, timeout = None, READY_SECONDS
        waiting, heard = set(asked), set[str]()
        while waiting:
            done, waiting = await asyncio.wait(
                waiting, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                break
            for each in done:
                if each.result():
                    leader, timeout = asked[each], DOUBT_SECONDS
                elif each.result() is not None:
                    heard.add(asked[each])
        for each in waiting:
            each.cancel()
        if leader is not None:
            self._believe(leader)
        return bool(heard)

    async def _leads(self, name: str) -> bool | None:
        """Whether the scheduler of that name leads; None where it does not say."""
        try:
            method = self._find(name).leads
            call: Awaitable[bool | None] = method.options(concurrency_group=HEALTH).remote()
            return await asyncio.wait_for(call, READY_SECONDS)
        except (SchedulerUnavailable, RayError, TimeoutError):
            return None
