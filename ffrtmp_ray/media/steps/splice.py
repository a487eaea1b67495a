"""Give a spliced recording one clock, in a file of the workspace that stands for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ffrtmp_ray.media.assignment import Failed, Stopped
from ffrtmp_ray.media.encode.splice import SUFFIX, splice_argv
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.storage.open_input import IN_WORKSPACE, OpenInput, open_input

SAID = "the source's clock starts anew within it: its parts are put one after another"


async def spliced(step: Step, source: OpenInput) -> Path | Failed | Stopped:
    """A copy of the source at whose splices time goes on."""
    workspace, given = step.toolbox.workspace, step.assignment
    folder = workspace.attempt(given.job_id, given.attempt_id)
    if not folder.exists():  # the source itself may have been fetched into it
        folder = await step.make_folder()
    path = folder / f"spliced.{SUFFIX}"
    argv = splice_argv(step.toolbox.ffmpeg, source.address, output=str(path))
    ended = await step.ffmpeg(argv, lambda _: 0.0)
    return path if ended is None else ended


@asynccontextmanager
async def open_spliced(step: Step, path: Path) -> AsyncIterator[OpenInput]:
    """As an input that every worker can open."""
    place = f"{IN_WORKSPACE}://{step.toolbox.workspace.relative(path)}"
    async with open_input(place, step.toolbox.settings) as opened:
        yield opened
