"""What all outputs need of a rendition's chunks: that they can be joined, and were joined right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Ended, Failed, Replaced
from ffrtmp_ray.media.package.mux import Part, Sound, Text, concat_listing
from ffrtmp_ray.media.package.verify import SAMPLED, Promise, faults
from ffrtmp_ray.media.plan.admit import plan_task
from ffrtmp_ray.media.plan.copies import COPY_NAME
from ffrtmp_ray.media.plan.encodes import encode_name
from ffrtmp_ray.media.plan.payloads import (
    EncodedFile,
    FilePayload,
    FinishPayload,
    SoundPayload,
    TextPayload,
)
from ffrtmp_ray.media.probe.source import Source, VideoStream
from ffrtmp_ray.media.spec import Container
from ffrtmp_ray.media.steps.exactness import digest_of
from ffrtmp_ray.media.steps.step import Step


def chunks_of(step: Step, work: FinishPayload, file: FilePayload) -> list[EncodedFile]:
    """What the encodes have made of a rendition, in order."""
    results = step.assignment.results
    if file.copied:
        return [EncodedFile.model_validate(results[COPY_NAME]["files"][file.rendition])]
    names = (encode_name(number) for number in range(len(work.chunks)))
    return [EncodedFile.model_validate(results[name]["files"][file.rendition]) for name in names]


def durations_of(work: FinishPayload, file: FilePayload) -> tuple[Fraction, ...]:
    """Seconds of each of these."""
    return (sum(work.chunks, Fraction(0)),) if file.copied else file.chunks or work.chunks


async def unequal(
    step: Step, work: FinishPayload, file: FilePayload, chunks: Sequence[EncodedFile]
) -> Ended | None:
    """Chunks whose encoders' parameters differ, as those of two ffmpegs do, cannot be joined. The
    odd ones are made again, once; the others are found where chunks are kept. None: all fit."""
    if len({chunk.extradata for chunk in chunks}) == 1:
        return None
    reason = f"the chunks of {file.rendition} cannot be joined: their encoders differ"
    kept = all(chunk.address for chunk in chunks)
    if work.plan is None or work.plan.remade or not kept:
        return anew(work, reason)
    ((usual, _),) = Counter(chunk.extradata for chunk in chunks).most_common(1)
    for chunk in chunks:
        if chunk.extradata != usual:
            await step.in_thread(step.toolbox.chunks.drop, chunk.address)
    return Replaced(
        reason, (plan_task(work.plan.model_copy(update={"remade": True, "burned": None})),)
    )


def anew(work: FinishPayload, reason: str) -> Ended:
    """What was made in chunks is made again in one piece."""
    if work.plan is None:
        return Failed(Failure(FailureKind.INEXACT, reason))
    return Replaced(reason, (plan_task(work.plan.in_one_piece(reason)),))


def write_listing(
    step: Step,
    work: FinishPayload,
    file: FilePayload,
    chunks: Sequence[EncodedFile],
    listing: Path,
) -> None:
    """The script by which ffmpeg joins `chunks`."""
    parts = [
        Part(step.toolbox.workspace.absolute(chunk.path), duration)
        for chunk, duration in zip(chunks, durations_of(work, file), strict=True)
    ]
    listing.write_text(concat_listing(parts), "utf-8")


def sound_file(step: Step, sound: SoundPayload) -> Sound:
    """What the task that encodes a sound has made."""
    result = step.assignment.results[sound.task]
    path = step.toolbox.workspace.absolute(result["path"])
    start = Fraction(result.get("start", 0))
    return Sound(path, sound.language, sound.title, sound.dispositions, start)


def text_path(step: Step, text: TextPayload) -> Path | None:
    """Where subtitles lie; None where there is nothing to be shown."""
    path = step.assignment.results[text.task]["path"]
    return None if path is None else step.toolbox.workspace.absolute(path)


def texts_beside(step: Step, work: FinishPayload) -> tuple[Text, ...]:
    """The subtitles that have something to show."""
    return tuple(
        _text(step, each, path)
        for each in work.texts
        if (path := text_path(step, each)) is not None
    )


def _text(step: Step, text: TextPayload, path: Path) -> Text:
    result = step.assignment.results[text.task]
    absolute = step.toolbox.workspace.absolute
    return Text(
        path,
        text.form,
        text.language,
        text.title,
        text.dispositions,
        Fraction(result.get("start", 0)),
        tuple((absolute(font), media_type) for font, media_type in result.get("fonts", ())),
    )


async def verified(
    step: Step,
    work: FinishPayload,
    file: FilePayload,
    chunks: Sequence[EncodedFile],
    path: Path,
    sounds: tuple[str, ...],
) -> Source | Failure:
    """What the file is, when it is what it should be; `sounds` are the codecs of its sounds."""
    found = await step.toolbox.prober.probe(path)
    if isinstance(found, Failure):
        return Failure(FailureKind.INEXACT, f"{file.rendition} cannot be used: {found.reason}")
    frames = sum(chunk.frames for chunk in chunks)
    span = sum(durations_of(work, file)[:-1], Fraction(0)) + chunks[-1].span
    promise = promised(work, file, frames, span, sounds)
    moved = _moved(work, file, chunks, found.video)
    wrong = await broken(step, file, path, promise, found, moved)
    return found if wrong is None else wrong


def promised(
    work: FinishPayload, file: FilePayload, frames: int, span: Fraction, sounds: tuple[str, ...]
) -> Promise:
    """What a file of so many frames is to be, `span` seconds from the first to the last."""
    return Promise(
        container=work.container,
        codec=file.codec,
        width=file.width,
        height=file.height,
        frames=frames,
        span=span,
        timescale=work.timescale,
        sounds=sounds,
        color=file.color,
        light=file.light,
    )


async def broken(
    step: Step,
    file: FilePayload,
    path: Path,
    promise: Promise,
    found: Source,
    more: Iterable[str] = (),
) -> Failure | None:
    """How what was `found` in a finished file, and what a sample of it decodes to, differ from its
    promise, with what `more` is wrong; None where nothing is."""
    decoded = await step.toolbox.prober.sample(path, SAMPLED)
    if isinstance(decoded, Failure):
        return Failure(FailureKind.INEXACT, f"{file.rendition} cannot be used: {decoded.reason}")
    wrong = [*faults(promise, found, decoded), *more]
    if wrong:
        return Failure(FailureKind.INEXACT, f"{file.rendition} is not right: {'; '.join(wrong)}")
    return None


def _moved(
    work: FinishPayload, file: FilePayload, chunks: Sequence[EncodedFile], video: VideoStream
) -> Iterator[str]:
    """Chunks whose frames are not shown when they should be, to the tick.

    Seen in MP4 only: other containers keep milliseconds.
    """
    if work.container is not Container.MP4 or len(chunks) == 1:
        return
    ticks, begin = iter(video.ticks), Fraction(0)
    pairs = zip(chunks, durations_of(work, file), strict=True)
    for number, (chunk, duration) in enumerate(pairs):
        shown = tuple(islice(ticks, chunk.frames))
        if not shown or shown[0] * video.time_base != begin or digest_of(shown) != chunk.times:
            yield f"the frames of chunk {number} are not where they should be"
        begin += duration
