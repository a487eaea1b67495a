"""Make the still images of a job, and see that each can be decoded."""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Ended, Failed, Stopped, Succeeded
from ffrtmp_ray.media.images.commands import (
    chosen_poster_argv,
    decoding_argv,
    poster_argv,
    series_argv,
)
from ffrtmp_ray.media.images.names import POSTER, SHEETS, THUMBNAILS, WEBVTT, file_name, webvtt
from ffrtmp_ray.media.images.work import ImagesWork
from ffrtmp_ray.media.plan.payloads import Beside, ImagesPayload
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.steps.step import Step


async def run(step: Step) -> Ended:
    work = ImagesPayload.model_validate(step.assignment.payload)
    images, folder = work.images, await step.make_folder()
    async with step.open_input(work.input) as source:
        ended = await _make(step, images, source.address, folder)
    if ended is not None:
        return ended
    if images.sprite is not None:
        text = webvtt(images.sprite, images.format, images.length)
        await step.in_thread((folder / WEBVTT).write_text, text, "utf-8")
    files = _files(images)
    missing = [name for name in files if not (folder / name).is_file()]
    if missing:
        return Failed(Failure(FailureKind.CRASHED, f"{missing[0]} was not made"))
    if (ended := await _decoded(step, images, folder)) is not None:
        return ended
    relative = step.toolbox.workspace.relative
    beside = [
        Beside(path=relative(folder / name), name=name, what=what) for name, what in files.items()
    ]
    return Succeeded({"beside": [each.model_dump(mode="json") for each in beside]})


async def _make(
    step: Step, images: ImagesWork, address: str, folder: Path
) -> Failed | Stopped | None:
    ffmpeg, poster = step.toolbox.ffmpeg, images.poster
    if poster is not None and poster.automatic:
        argv = chosen_poster_argv(ffmpeg, address, images, poster, folder)
        if (ended := await step.ffmpeg(argv, _unknown)) is not None:
            return ended
    if poster is not None and not (folder / file_name(POSTER, images.format)).is_file():
        argv = poster_argv(ffmpeg, address, poster, images.format, folder)
        if (ended := await step.ffmpeg(argv, _unknown)) is not None:
            return ended
    if images.thumbnails is None and images.sprite is None:
        return None

    def fraction(progress: ProcessProgress) -> float:
        return progress.part_of(images.length)

    return await step.ffmpeg(series_argv(ffmpeg, address, images, folder), fraction)


async def _decoded(step: Step, images: ImagesWork, folder: Path) -> Failed | Stopped | None:
    """Those of each kind, by one process."""
    kinds = ((images.poster, POSTER), (images.thumbnails, THUMBNAILS), (images.sprite, SHEETS))
    for made, name in kinds:
        if made is None:
            continue
        argv = decoding_argv(step.toolbox.ffmpeg, images.format, folder / name)
        if (ended := await step.ffmpeg(argv, _unknown)) is not None:
            return ended
    return None


def _files(images: ImagesWork) -> dict[str, str]:
    """Names of all files, and what each is."""
    kind, files = images.format, {}
    if (poster := images.poster) is not None:
        files[file_name(POSTER, kind)] = f"{kind} {poster.width}x{poster.height}"
    if (series := images.thumbnails) is not None:
        what = f"{kind} {series.width}x{series.height}"
        files |= {file_name(THUMBNAILS, kind, each): what for each in range(series.number)}
    if (sprite := images.sprite) is not None:
        what = f"{kind} {sprite.columns * sprite.width}x{sprite.rows * sprite.height}"
        files |= {file_name(SHEETS, kind, each): what for each in range(sprite.sheets)}
        files[WEBVTT] = "webvtt"
    return files


def _unknown(_: ProcessProgress) -> float:
    return 0.0
