"""Parts of a step that wait for nothing of each other, two at a time. Knows no media."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

AT_ONCE = 2
"""As many as there are children that look into files; more would only wait for those, and a step
that is to be light would be none."""

_Result = TypeVar("_Result")


async def together(works: Iterable[Callable[[], Awaitable[_Result]]]) -> list[_Result]:
    """What they return, in their order. The first error of one is raised; then, and when this is
    canceled, the others are canceled too, and have ended when it returns."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(work: Callable[[], Awaitable[_Result]]) -> _Result:
        async with room:
            return await work()

    running = [asyncio.create_task(one(work)) for work in works]
    try:
        return await asyncio.gather(*running)
    finally:
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
