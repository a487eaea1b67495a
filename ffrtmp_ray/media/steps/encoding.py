"""One run of ffmpeg over a chunk, and a look at what it has made. Part of `encode`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Failed, Stopped
from ffrtmp_ray.media.encode.video import video_argv
from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.plan.payloads import EncodePayload
from ffrtmp_ray.media.probe.source import Source
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.steps import burn
from ffrtmp_ray.media.steps.step import Step


def fraction_of(work: EncodePayload) -> Callable[[ProcessProgress], float]:
    """Of the work that is done, by the frames that ffmpeg says it has made."""
    return lambda progress: progress.frame / max(work.frames, 1)


async def encode(
    step: Step, work: EncodePayload, outputs: tuple[OutputWork, ...], paths: Mapping[str, Path]
) -> dict[str, Source] | Failed | Stopped:
    """Make `outputs` at `paths`, by their renditions' names."""
    async with step.open_input(work.input) as source:
        ended = await _encode(step, work, source.address, outputs, paths)
    if ended is not None:
        return ended
    made = {}
    for output in outputs:
        name = output.rendition.name
        found = await step.toolbox.prober.probe(paths[name])
        if isinstance(found, Failure):
            reason = f"nothing usable was encoded: {found.reason}"
            return Failed(Failure(FailureKind.INEXACT, reason))
        made[name] = found
    return made


async def _encode(
    step: Step,
    work: EncodePayload,
    source: str,
    outputs: tuple[OutputWork, ...],
    paths: Mapping[str, Path],
) -> Failed | Stopped | None:
    video = burn.local(step, work.video.model_copy(update={"outputs": outputs}))
    argv = video_argv(
        step.toolbox.ffmpeg,
        source,
        video,
        outputs={each.rendition.name: str(paths[each.rendition.name]) for each in outputs},
        cpus=max(step.assignment.cpus, 1),
        gpu=step.assignment.gpu,
    )
    return await step.ffmpeg(argv, fraction_of(work), await burn.fonts_environment(step, video))
