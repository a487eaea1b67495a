"""Parts of a step that are done beside each other."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from ffrtmp_ray.media.steps.together import AT_ONCE, together


class Parts:
    """Work that ends when the test says so."""

    def __init__(self) -> None:
        self.running = 0
        self.most = 0
        self.may_end = asyncio.Event()
        self.begun = asyncio.Semaphore(0)
        """Released with each part that begins."""

    async def part(self, result: int) -> int:
        self.running += 1
        self.most = max(self.most, self.running)
        self.begun.release()
        try:
            await self.may_end.wait()
        finally:
            self.running -= 1
        return result

    async def full(self) -> None:
        for _ in range(AT_ONCE):
            await self.begun.acquire()


async def test_parts_are_done_two_at_a_time_and_answered_in_their_order() -> None:
    parts = Parts()
    all_of_them = asyncio.create_task(together(partial(parts.part, n) for n in range(5)))
    await parts.full()
    parts.may_end.set()
    assert await all_of_them == [0, 1, 2, 3, 4]
    assert parts.most == AT_ONCE


async def test_an_error_of_one_part_ends_the_others_before_it_is_raised() -> None:
    parts = Parts()

    async def fail() -> int:
        await parts.begun.acquire()
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        await together([partial(parts.part, 1), fail, partial(parts.part, 2)])
    assert parts.running == 0


async def test_parts_end_with_the_step_that_they_are_of() -> None:
    parts = Parts()
    step = asyncio.create_task(together([partial(parts.part, 1), partial(parts.part, 2)]))
    await parts.full()
    step.cancel()
    with pytest.raises(asyncio.CancelledError):
        await step
    assert parts.running == 0
