"""Join the chunks, put the sound beside them, verify, stage. Publishes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import islice
from pathlib import Path

from ffrtmp_ray.core.model import Document, Failure, FailureKind, NewTask
from ffrtmp_ray.media.assignment import Ended, Failed, Replaced, Stopped, Succeeded
from ffrtmp_ray.media.package.mux import MuxWork, Part, Sound, concat_listing, mux_argv
from ffrtmp_ray.media.package.verify import SAMPLED, Promise, faults
from ffrtmp_ray.media.plan.admit import plan_task
from ffrtmp_ray.media.plan.encodes import encode_name
from ffrtmp_ray.media.plan.needs import PLAN
from ffrtmp_ray.media.plan.payloads import EncodedFile, FilePayload, FinishPayload, PublishPayload
from ffrtmp_ray.media.probe.source import Source, VideoStream
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.spec import Container
from ffrtmp_ray.media.steps.exactness import digest_of
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.storage.publish import make_staging, remove_stale, staging_path
from ffrtmp_ray.storage.roots import check_output
from ffrtmp_ray.views import OutputView

PUBLISH_NAME = "publish"


async def run(step: Step) -> Ended:
    work = FinishPayload.model_validate(step.assignment.payload)
    folder = await step.make_folder()
    staged = await step.in_thread(_stage, step, work, folder)
    outputs = []
    for number, file in enumerate(work.files):
        chunks = _chunks(step.assignment.results, work, file)
        if len({chunk.extradata for chunk in chunks}) > 1:
            return await _unlike(step, work, file, chunks)
        path = staged / file.path if file.path else staged
        listing = folder / f"{file.rendition}.ffconcat"
        ended = await _mux(step, work, chunks, listing, path, done=number)
        if ended is not None:
            return ended
        output = await _verified(step, work, file, chunks, path)
        if isinstance(output, Failure):
            return _inexact(work, output.reason)
        outputs.append(output)
    payload = PublishPayload(staged=str(staged), target=work.target, outputs=tuple(outputs))
    return Succeeded(spawn=(_publish_task(payload),))


async def _unlike(
    step: Step, work: FinishPayload, file: FilePayload, chunks: list[EncodedFile]
) -> Ended:
    """Chunks whose encoders' parameters differ, as those of two ffmpegs do, cannot be joined. The
    odd ones are made again, once; the others are found where chunks are kept."""
    reason = f"the chunks of {file.rendition} cannot be joined: their encoders differ"
    kept = all(chunk.address for chunk in chunks)
    if work.plan is None or work.plan.remade or not kept:
        return _inexact(work, reason)
    ((usual, _),) = Counter(chunk.extradata for chunk in chunks).most_common(1)
    for chunk in chunks:
        if chunk.extradata != usual:
            await step.in_thread(step.toolbox.chunks.drop, chunk.address)
    return Replaced(reason, (plan_task(work.plan.model_copy(update={"remade": True})),))


def _inexact(work: FinishPayload, reason: str) -> Ended:
    """What was made in chunks is made again in one piece."""
    if work.plan is None:
        return Failed(Failure(FailureKind.INEXACT, reason))
    return Replaced(reason, (plan_task(work.plan.in_one_piece(reason)),))


def _stage(step: Step, work: FinishPayload, folder: Path) -> Path:
    """A free place for the output, noted so that it is found again; older tries' are removed."""
    attempt_id, target = step.assignment.attempt_id, Path(work.target)
    check_output(work.target, step.toolbox.settings.output_roots, folder=work.folder)
    step.toolbox.note_staged(folder, staging_path(target, attempt_id))
    remove_stale(target, step.assignment.job_id)
    staged = make_staging(target, attempt_id, folder=work.folder)
    step.space.watch("the output", staged)
    return staged


def _chunks(
    results: Mapping[str, Document], work: FinishPayload, file: FilePayload
) -> list[EncodedFile]:
    names = (encode_name(number) for number in range(len(work.chunks)))
    return [EncodedFile.model_validate(results[name]["files"][file.rendition]) for name in names]


async def _mux(
    step: Step,
    work: FinishPayload,
    chunks: list[EncodedFile],
    listing: Path,
    path: Path,
    *,
    done: int,
) -> Failed | Stopped | None:
    workspace = step.toolbox.workspace
    parts = [
        Part(workspace.absolute(chunk.path), duration)
        for chunk, duration in zip(chunks, work.chunks, strict=True)
    ]
    await step.in_thread(listing.write_text, concat_listing(parts), "utf-8")
    sounds = tuple(
        Sound(workspace.absolute(step.assignment.results[each.task]["path"]), each.language)
        for each in work.sounds
    )
    mux = MuxWork(listing, sounds, work.container, work.timescale, path)
    length = float(sum(work.chunks))

    def fraction(progress: ProcessProgress) -> float:
        this = (progress.out_time_seconds or 0.0) / max(length, 0.001)
        return (done + min(this, 1.0)) / len(work.files)

    return await step.ffmpeg(mux_argv(step.toolbox.ffmpeg, mux), fraction)


async def _verified(
    step: Step, work: FinishPayload, file: FilePayload, chunks: list[EncodedFile], path: Path
) -> OutputView | Failure:
    """What the file is, when it is what it should be."""
    found = await step.toolbox.prober.probe(path)
    if isinstance(found, Failure):
        return Failure(FailureKind.INEXACT, f"{file.rendition} cannot be used: {found.reason}")
    decoded = await step.toolbox.prober.sample(path, SAMPLED)
    if isinstance(decoded, Failure):
        return Failure(FailureKind.INEXACT, f"{file.rendition} cannot be used: {decoded.reason}")
    promise = Promise(
        container=work.container,
        codec=file.codec,
        width=file.width,
        height=file.height,
        frames=sum(chunk.frames for chunk in chunks),
        span=sum(work.chunks[:-1], Fraction(0)) + chunks[-1].span,
        timescale=work.timescale,
        sounds=tuple(sound.codec for sound in work.sounds),
    )
    wrong = [*faults(promise, found, decoded), *_moved(work, chunks, found.video)]
    if wrong:
        return Failure(FailureKind.INEXACT, f"{file.rendition} is not right: {'; '.join(wrong)}")
    return _view(work, file, found)


def _moved(work: FinishPayload, chunks: list[EncodedFile], video: VideoStream) -> Iterator[str]:
    """Chunks whose frames are not shown when they should be, to the tick.

    Seen in MP4 only: other containers keep milliseconds.
    """
    if work.container is not Container.MP4 or len(chunks) == 1:
        return
    ticks, begin = iter(video.ticks), Fraction(0)
    for number, (chunk, duration) in enumerate(zip(chunks, work.chunks, strict=True)):
        shown = tuple(islice(ticks, chunk.frames))
        if not shown or shown[0] * video.time_base != begin or digest_of(shown) != chunk.times:
            yield f"the frames of chunk {number} are not where they should be"
        begin += duration


def _view(work: FinishPayload, file: FilePayload, found: Source) -> OutputView:
    target = Path(work.target)
    sound = found.audio[0] if found.audio else None
    return OutputView(
        path=str(target / file.path if file.path else target),
        bytes=found.bytes,
        duration_seconds=round(float(found.duration), 6),
        video=f"{file.codec} {file.width}x{file.height}",
        audio=f"{sound.codec} {sound.channels}ch" if sound is not None else None,
    )


def _publish_task(payload: PublishPayload) -> NewTask:
    return NewTask(
        name=PUBLISH_NAME,
        kind="publish",
        needs=PLAN,
        payload=payload.model_dump(mode="json"),
        weight=0,
        final=True,
    )
