"""One file for each rendition: its chunks joined, the sounds beside them. Part of `finish`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ffrtmp_ray.core.model import Failure
from ffrtmp_ray.media.assignment import Ended, Failed, Stopped
from ffrtmp_ray.media.package.mux import MuxWork, mux_argv
from ffrtmp_ray.media.plan.payloads import FilePayload, FinishPayload
from ffrtmp_ray.media.probe.source import Source
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.steps.bitrate import buffer_seconds, tightened_chunks
from ffrtmp_ray.media.steps.describe import write_described
from ffrtmp_ray.media.steps.joining import (
    anew,
    chunks_of,
    sound_file,
    texts_beside,
    unequal,
    verified,
    write_listing,
)
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.media.steps.together import together
from ffrtmp_ray.media.steps.words import sounds_in_words, subtitles_in_words
from ffrtmp_ray.storage.urls import joined
from ffrtmp_ray.views import OutputView


async def make(
    step: Step, work: FinishPayload, folder: Path, staged: Path
) -> tuple[OutputView, ...] | Ended:
    """Everything at `staged`, as it will be seen; `folder` is for what is needed on the way."""
    described = await step.in_thread(write_described, work, folder)
    make_one = partial(_file, step, work, folder, staged, described)
    outputs = []
    for made in await together(partial(make_one, number) for number in range(len(work.files))):
        if not isinstance(made, OutputView):
            return made
        outputs.append(made)
    return tuple(outputs)


async def _file(
    step: Step,
    work: FinishPayload,
    folder: Path,
    staged: Path,
    described: Path | None,
    number: int,
) -> OutputView | Ended:
    """The one of that number, counted from 0."""
    file = work.files[number]
    chunks = chunks_of(step, work, file)
    if (ended := await unequal(step, work, file, chunks)) is not None:
        return ended
    listing = folder / f"{file.rendition}.ffconcat"
    await step.in_thread(write_listing, step, work, file, chunks, listing)
    path = staged / file.path if file.path else staged
    if (ended := await _mux(step, work, listing, described, path, number)) is not None:
        return ended
    sounds = tuple(sound.codec for sound in work.sounds)
    found = await verified(step, work, file, chunks, path, sounds)
    if isinstance(found, Failure):
        return anew(work, found.reason)
    texts = len(texts_beside(step, work))
    if found.subtitles != texts:
        return anew(work, f"{file.rendition} has {found.subtitles} subtitles, not {texts}")
    buffered = await buffer_seconds(step, file, path)
    view = view_of(work, file, found)
    held = {"buffer_seconds": buffered, "tightened_chunks": tightened_chunks(file, chunks)}
    return view.model_copy(update=held)


async def _mux(
    step: Step,
    work: FinishPayload,
    listing: Path,
    described: Path | None,
    path: Path,
    number: int,
) -> Failed | Stopped | None:
    """Write the file of that number."""
    sounds = tuple(sound_file(step, each) for each in work.sounds)
    mux = MuxWork(
        listing,
        sounds,
        work.container,
        work.timescale,
        path,
        texts_beside(step, work),
        described,
        work.files[number].light,
    )
    length = float(sum(work.chunks))

    def fraction(progress: ProcessProgress) -> float:
        return (number + min(progress.part_of(length), 1.0)) / len(work.files)

    return await step.ffmpeg(mux_argv(step.toolbox.ffmpeg, mux), fraction)


def view_of(work: FinishPayload, file: FilePayload, found: Source) -> OutputView:
    """What the user is told of a finished file, but for its bitrate."""
    return OutputView(
        path=joined(work.target, file.path) if file.path else work.target,
        bytes=found.bytes,
        duration_seconds=round(float(found.duration), 6),
        video=f"{file.codec} {file.width}x{file.height}",
        audio=sounds_in_words(found.audio),
        subtitles=subtitles_in_words(found),
    )
