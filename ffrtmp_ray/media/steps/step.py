"""One attempt at work: what it was given, where it writes, how far it is. Decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from ffrtmp_ray.core.model import Progress
from ffrtmp_ray.media.assignment import Assignment, Failed, Stopped
from ffrtmp_ray.media.process.failures import classify
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.process.runner import Ending, ProcessGroup
from ffrtmp_ray.media.toolbox import Toolbox

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
        )
        self.progress = Progress()

    async def make_folder(self) -> Path:
        """The attempt's own folder in the workspace, empty."""
        make = self.toolbox.workspace.make
        return await self.in_thread(make, self.assignment.job_id, self.assignment.attempt_id)

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
        self, argv: Sequence[str], fraction: Callable[[ProcessProgress], float]
    ) -> Failed | Stopped | None:
        """Run a command line to its good end; another end is returned.

        `fraction` says how far the step is (0 to 1) from what ffmpeg says of its progress.
        """

        def follow(progress: ProcessProgress) -> None:
            reached = min(max(fraction(progress), self.progress.fraction), 1.0)
            self.progress = Progress(reached, progress.fps, progress.speed)

        end = await self.processes.run(argv, follow)
        if end.ending is Ending.STOPPED:
            return Stopped()
        if end.ending is Ending.EXITED and end.code == 0:
            return None
        return Failed(classify(end))
