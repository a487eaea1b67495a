"""Encode a whole job at once: its one file, with its sound, verified and staged. Part of `encode`.

Only what comes out right in every respect is taken. Anything else is made once more in parts, where
each is looked at for itself and what is odd about a source is found out.
"""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Ended, Failed, Replaced, Stopped
from ffrtmp_ray.media.package.direct import DROPPED, DirectSound, DirectWork, direct_argv
from ffrtmp_ray.media.plan.admit import plan_task
from ffrtmp_ray.media.plan.payloads import DirectPayload, EncodePayload, FilePayload
from ffrtmp_ray.media.probe.source import Source
from ffrtmp_ray.media.process.concealed import is_doubted
from ffrtmp_ray.media.steps import reuse
from ffrtmp_ray.media.steps.bitrate import buffer_seconds, tightened_chunks
from ffrtmp_ray.media.steps.describe import write_described
from ffrtmp_ray.media.steps.encoding import fraction_of
from ffrtmp_ray.media.steps.exactness import expected_of, fault_of
from ffrtmp_ray.media.steps.files import view_of
from ffrtmp_ray.media.steps.finish import stage, staged_well
from ffrtmp_ray.media.steps.joining import broken, promised
from ffrtmp_ray.media.steps.step import Step

_IN_PARTS = (
    FailureKind.INEXACT,
    FailureKind.BAD_INPUT,
    FailureKind.UNSUPPORTED,
    FailureKind.STALLED,
)
"""Ways in which it may fail at once, and not in parts. Streams of one process wait for each other;
what stands still in one may go on in several."""
_CHANGED = "the sound changes its channels or its rate"
_DOUBTED = "the source may be damaged: a decoder says so"


async def make(step: Step, work: EncodePayload, whole: DirectPayload) -> Ended:
    finish = whole.finish
    (file,) = finish.files
    folder = await step.make_folder()
    staged = await step.in_thread(stage, step, finish, folder)
    path = staged / file.path if file.path else staged
    if (ended := await _encode(step, work, whole, folder, path)) is not None:
        await reuse.make_room(step, ended)
        return _or_in_parts(whole, ended)
    found = await _verified(step, work, whole, file, path)
    if isinstance(found, Failure):
        return _or_in_parts(whole, Failed(found))
    buffered = await buffer_seconds(step, file, path)
    held = {"buffer_seconds": buffered, "tightened_chunks": tightened_chunks(file, ())}
    view = view_of(finish, file, found).model_copy(update=held)
    version = await step.toolbox.ffmpeg_version()
    return staged_well(step, finish, staged, (view,), {"ffmpeg": version})


async def _encode(
    step: Step, work: EncodePayload, whole: DirectPayload, folder: Path, path: Path
) -> Failed | Stopped | None:
    described = await step.in_thread(write_described, whole.finish, folder)
    direct = DirectWork(work.video, _sound(whole), described, path)
    cpus, gpu = max(step.assignment.cpus, 1), step.assignment.gpu
    async with step.open_input(work.input) as source:
        argv = direct_argv(step.toolbox.ffmpeg, source.address, direct, cpus=cpus, gpu=gpu)
        return await step.ffmpeg(argv, fraction_of(work))


def _sound(whole: DirectPayload) -> DirectSound | None:
    if whole.sound is None:
        return None
    (told,) = whole.finish.sounds
    return DirectSound(whole.sound.audio, told.language, told.title, told.dispositions)


async def _verified(
    step: Step, work: EncodePayload, whole: DirectPayload, file: FilePayload, path: Path
) -> Source | Failure:
    """What the file is, where it has the source's frames, at their times, and is what it should
    be."""
    if DROPPED in step.processes.log:
        return Failure(FailureKind.INEXACT, _CHANGED)
    if is_doubted(step.processes.log):
        return Failure(FailureKind.INEXACT, _DOUBTED)
    found = await step.toolbox.prober.probe(path)
    if isinstance(found, Failure):
        return Failure(FailureKind.INEXACT, f"nothing usable was encoded: {found.reason}")
    video = found.video
    if (fault := fault_of(work, expected_of(work), {file.rendition: video})) is not None:
        return Failure(FailureKind.INEXACT, fault)
    sounds = tuple(sound.codec for sound in whole.finish.sounds)
    promise = promised(whole.finish, file, video.frames, video.last - video.first, sounds)
    wrong = await broken(step, file, path, promise, found)
    return found if wrong is None else wrong


def _or_in_parts(whole: DirectPayload, ended: Failed | Stopped) -> Ended:
    if not isinstance(ended, Failed) or ended.failure.kind not in _IN_PARTS:
        return ended
    reason = f"it is made in parts: made at once, {ended.failure.reason}"
    return Replaced(reason, (plan_task(whole.plan.model_copy(update={"apart": True})),))
