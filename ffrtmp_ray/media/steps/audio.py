"""Encode one sound of the whole file, once for all renditions; first measured, if it is to have a
certain loudness. Or copy it, where it is to be copied and that is exact."""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Ended, Failed, Stopped, Succeeded
from ffrtmp_ray.media.encode.audio import audio_argv, measure_argv
from ffrtmp_ray.media.encode.loudness import (
    MeasuredLoudness,
    is_linear,
    level,
    limited,
    measured,
    next_gain,
)
from ffrtmp_ray.media.plan.payloads import AudioPayload
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.spec import Verify
from ffrtmp_ray.media.steps import sound_copy
from ffrtmp_ray.media.steps.decoding import undecodable
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.views import LoudnessView

_MEASURING = 0.3
"""Part of the work that decoding and measuring take, roughly."""
_TRIES = 4
"""Gains that are tried before a limiter, each in a pass over the sound; three were enough for all
but single clicks over near silence."""


async def run(step: Step) -> Ended:
    work = AudioPayload.model_validate(step.assignment.payload)
    folder = await step.make_folder()
    if work.copy_of is not None:
        copied = await sound_copy.make(step, work, work.copy_of, folder)
        if copied is not None:
            return copied
    path = folder / "audio.mp4"
    async with step.open_input(work.input) as source:
        before = await _loudness(step, work, source.address)
        if isinstance(before, Failed | Stopped):
            return before
        leveled = await _level(step, work, source.address, before)
        if isinstance(leveled, Failed | Stopped):
            return leveled
        ended = await _encode(step, work, source.address, path, leveled)
    if ended is None and work.verify is Verify.FULL:
        ended = await undecodable(step, path)
    if ended is not None:
        return ended
    return Succeeded({"path": step.toolbox.workspace.relative(path), **_said(work, before)})


async def _loudness(
    step: Step, work: AudioPayload, address: str
) -> MeasuredLoudness | Failed | Stopped | None:
    """How loud the sound is as it would be encoded; None where it may be as it is."""
    return None if work.audio.audio.loudness is None else await _measured(step, work, address, None)


async def _level(
    step: Step, work: AudioPayload, address: str, before: MeasuredLoudness | None
) -> str | Failed | Stopped | None:
    """The filter that makes it as loud as is wanted: of one gain, or of one that is found by
    measuring what a limiter leaves of it; None where there is nothing to be done."""
    wanted = work.audio.audio.loudness
    if wanted is None or before is None or not before.is_heard:
        return None
    if is_linear(wanted, before):
        return level(wanted, before)
    gain = wanted.target - before.integrated
    for _ in range(_TRIES):
        after = await _measured(step, work, address, limited(wanted, gain))
        if isinstance(after, Failed | Stopped):
            return after
        if (better := next_gain(wanted, gain, after)) is None:
            break
        gain = better
    return limited(wanted, gain)


async def _measured(
    step: Step, work: AudioPayload, address: str, filtered: str | None
) -> MeasuredLoudness | Failed | Stopped:
    def fraction(progress: ProcessProgress) -> float:
        return _MEASURING * _reached(progress, work)

    argv = measure_argv(step.toolbox.ffmpeg, address, work.audio, level=filtered)
    if (ended := await step.ffmpeg(argv, fraction)) is not None:
        return ended
    found = measured(step.processes.log)
    if found is None:
        return Failed(Failure(FailureKind.CRASHED, "ffmpeg has not said how loud the sound is"))
    return found


async def _encode(
    step: Step, work: AudioPayload, address: str, path: Path, filtered: str | None
) -> Failed | Stopped | None:
    done = 0.0 if filtered is None else _MEASURING

    def fraction(progress: ProcessProgress) -> float:
        return done + (1 - done) * _reached(progress, work)

    argv = audio_argv(step.toolbox.ffmpeg, address, work.audio, output=str(path), level=filtered)
    return await step.ffmpeg(argv, fraction)


def _said(work: AudioPayload, before: MeasuredLoudness | None) -> dict[str, object]:
    """What the job's user is told, as part of the task's result."""
    wanted = work.audio.audio.loudness
    if wanted is None or before is None:
        return {}
    if not before.is_heard:
        sound = f"the sound of stream {work.audio.stream}"
        reason = f"{sound} is silent, or too short to have a loudness: it is left as it is"
        return {"warnings": [reason]}
    view = LoudnessView(
        before_lufs=before.integrated,
        before_true_peak=before.true_peak,
        before_range=before.range,
        target_lufs=wanted.target,
        compressed=not is_linear(wanted, before),
    )
    return {"loudness": view.model_dump(mode="json")}


def _reached(progress: ProcessProgress, work: AudioPayload) -> float:
    return min(progress.part_of(work.duration), 1.0)
