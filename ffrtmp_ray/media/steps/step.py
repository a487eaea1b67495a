"""One attempt at work: what it was given, where it writes, how far it is. Decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import psutil

from ffrtmp_ray.core.model import Failure, Progress
from ffrtmp_ray.media.assignment import Assignment, Failed, Stopped
from ffrtmp_ray.media.plan.payloads import InputFile
from ffrtmp_ray.media.process.failures import classify
from ffrtmp_ray.media.process.limits import Limits
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.process.runner import Ending, ProcessGroup
from ffrtmp_ray.media.process.space import Space
from ffrtmp_ray.media.toolbox import Toolbox
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.open_input import OpenInput, open_input

_LOOK_SECONDS = 1.0
"""How often an attempt's disks are looked at while it writes; takes less than a millisecond."""
_CPU_SHARE = 2
"""Of the CPUs that an attempt was granted; threads that read, filter and write come on top."""

_Result = TypeVar("_Result")


class Step:
    """Handed to the `run` of a task's kind."""

    def __init__(self, assignment: Assignment, toolbox: Toolbox) -> None:
        settings = toolbox.settings
        self.assignment = assignment
        self.toolbox = toolbox
        self.timeout_seconds = assignment.timeout_seconds or settings.task_timeout_seconds
        self.processes = ProcessGroup(
            stall_seconds=settings.stall_seconds,
            grace_seconds=settings.stop_grace_seconds,
            timeout_seconds=self.timeout_seconds,
            limits=_limits(assignment, settings, self.timeout_seconds),
        )
        self.space = Space(min_free_bytes=settings.min_free_bytes, max_bytes=settings.attempt_bytes)
        self.progress = Progress()

    def open_input(self, file: InputFile) -> AbstractAsyncContextManager[OpenInput]:
        """The source as the plan has found it. Raises InputRefused when it has changed."""
        return open_input(file.place, self.toolbox.settings, expected=file.stamp)

    async def make_folder(self) -> Path:
        """The attempt's own folder in the workspace, empty."""
        make = self.toolbox.workspace.make
        folder = await self.in_thread(make, self.assignment.job_id, self.assignment.attempt_id)
        self.space.watch("the workspace", folder)
        return folder

    async def in_thread(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        """Call what may block. When this is canceled it still waits for the call to return, so
        that whoever clears up afterwards finds all that it has made."""
        call = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
        try:
            return await asyncio.shield(call)
        except asyncio.CancelledError:
            await asyncio.wait({call})
            raise

    async def ffmpeg(
        self,
        argv: Sequence[str],
        fraction: Callable[[ProcessProgress], float],
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Failed | Stopped | None:
        """Run a command line to its good end; another end is returned.

        `fraction` says how far the step is (0 to 1) from what ffmpeg says of its progress;
        `environment` is added to the worker's.
        """

        def follow(progress: ProcessProgress) -> None:
            reached = min(max(fraction(progress), self.progress.fraction), 1.0)
            self.progress = Progress(reached, progress.fps, progress.speed)

        end = await self.within_space(self.processes.run(argv, follow, environment))
        if isinstance(end, Failure):
            return Failed(end)
        if end.ending is Ending.STOPPED:
            return Stopped()
        if end.ending is Ending.EXITED and end.code == 0:
            return None
        return Failed(classify(end))

    async def within_space(self, work: Coroutine[Any, Any, _Result]) -> _Result | Failure:
        """What `work` comes to; or why it was canceled, when its disks have no room for it."""
        if (short := await self.in_thread(self.space.shortage)) is not None:
            work.close()
            return short
        run = asyncio.create_task(work)
        try:
            while not (await asyncio.wait({run}, timeout=_LOOK_SECONDS))[0]:
                if (short := await self.in_thread(self.space.shortage)) is not None:
                    return short
            return run.result()
        finally:
            run.cancel()  # which kills the process that it waits for, if there is one
            await asyncio.wait({run})


def _limits(assignment: Assignment, settings: Settings, timeout_seconds: float) -> Limits:
    """Of each process of an attempt."""
    memory = min(settings.ffmpeg_memory_bytes, psutil.virtual_memory().total // 2)
    return Limits(
        memory_bytes=memory if assignment.gpu is None else None,
        cpu_seconds=_CPU_SHARE * max(assignment.cpus, 1) * timeout_seconds,
        file_bytes=settings.attempt_bytes,
        niceness=settings.ffmpeg_niceness,
    )
