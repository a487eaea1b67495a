"""Encode the sound of the whole file, once for all renditions."""

from __future__ import annotations

from ffrtmp_ray.media.assignment import Ended, Succeeded
from ffrtmp_ray.media.encode.audio import audio_argv
from ffrtmp_ray.media.plan.payloads import AudioPayload
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.steps.step import Step


async def run(step: Step) -> Ended:
    work = AudioPayload.model_validate(step.assignment.payload)
    path = await step.make_folder() / "audio.mp4"

    def fraction(progress: ProcessProgress) -> float:
        return (progress.out_time_seconds or 0.0) / max(float(work.duration), 0.001)

    async with step.open_input(work.input) as source:
        argv = audio_argv(step.toolbox.ffmpeg, source.address, work.audio, output=str(path))
        ended = await step.ffmpeg(argv, fraction)
    if ended is not None:
        return ended
    return Succeeded({"path": step.toolbox.workspace.relative(path)})
