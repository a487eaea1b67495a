"""Make subtitles that are bitmaps ready to be burned in: a film of them. Part of `burn`."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from ffrtmp_ray.core.model import Failure
from ffrtmp_ray.media.assignment import Ended, Failed, Stopped, Succeeded
from ffrtmp_ray.media.bitmaps.work import Drawn, DrawWork
from ffrtmp_ray.media.encode.work import Burned
from ffrtmp_ray.media.plan.payloads import BurnPayload
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.steps import burn_text
from ffrtmp_ray.media.steps.step import Step

_MODULE = "ffrtmp_ray.media.bitmaps.draw"


async def make(step: Step, work: BurnPayload) -> Ended:
    """As `burn.run`."""
    film = await step.make_folder() / "burned.mov"
    drawn = await _draw(step, work, film)
    if not isinstance(drawn, Drawn):
        return drawn
    if drawn.failure is not None:
        return Failed(Failure(drawn.failure, drawn.reason))
    if drawn.box is None:
        return burn_text.nothing_shown()
    burned = Burned(
        path=step.toolbox.workspace.relative(film),
        sha256=await step.in_thread(_sha256, film),
        box=drawn.box,
        width=work.width,
        height=work.height,
        aspect=work.aspect,
        stream=work.stream,
    )
    return Succeeded({"burned": burned.model_dump(mode="json"), "warnings": _said(drawn)})


async def _draw(step: Step, work: BurnPayload, film: Path) -> Drawn | Failed | Stopped:
    """In a process of its own, which a broken track may kill."""
    answer = film.with_name("drawn.json")

    def fraction(progress: ProcessProgress) -> float:
        return progress.part_of(work.length)

    async with step.open_input(work.input) as source:
        asked = DrawWork(
            address=source.address,
            stream=work.stream or 0,
            forced=work.forced,
            picture_start=work.picture_start,
            length=work.length,
            timescale=work.timescale,
            width=work.width,
            height=work.height,
            aspect=work.aspect,
            film=str(film),
            answer=str(answer),
        )
        argv = (sys.executable, "-m", _MODULE, asked.model_dump_json())
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        ended = await step.ffmpeg(argv, fraction, environment)
    if ended is not None:
        return ended
    return Drawn.model_validate_json(await step.in_thread(answer.read_bytes))


def _said(drawn: Drawn) -> list[str]:
    if not drawn.unread:
        return []
    return [f"{drawn.unread} packets of the subtitles that are burned in could not be decoded"]


def _sha256(film: Path) -> str:
    with film.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
