"""Encode again what has exceeded its `max_bitrate`, coarser. Part of `encode`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ffrtmp_ray.core.model import Failure
from ffrtmp_ray.media.assignment import Failed, Stopped
from ffrtmp_ray.media.bucket import bound_for, surely_kept
from ffrtmp_ray.media.encode.tighten import Try, tightened
from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.encoders import encoder_for
from ffrtmp_ray.media.plan.payloads import EncodePayload
from ffrtmp_ray.media.probe.source import Source
from ffrtmp_ray.media.steps.encoding import encode
from ffrtmp_ray.media.steps.step import Step


async def keep_bitrates(
    step: Step,
    work: EncodePayload,
    outputs: tuple[OutputWork, ...],
    paths: Mapping[str, Path],
    made: Mapping[str, Source],
) -> dict[str, Source] | Failed | Stopped:
    """What lies at `paths` in the end: `made`, but for those of `outputs` that exceed their bitrate
    by the part of it that each chunk may have. What exceeds it by the last try, too, is left so:
    `finish` sees whether the whole does."""
    now, tries = dict(made), {output.rendition.name: list[Try]() for output in outputs}
    wanted = {output.rendition.name: output.rendition.max_bitrate for output in outputs}
    left = outputs
    while left:
        again = []
        for output in left:
            name = output.rendition.name
            found = await _try(step, work, output, wanted[name], paths[name], now[name])
            if isinstance(found, Failure):
                return Failed(found)
            if found is None:
                continue
            tries[name].append(found)
            if (harder := _harder(step, output, tries[name])) is not None:
                again.append(harder)
        left = tuple(again)
        if left:
            ended = await encode(step, work, left, paths)
            if not isinstance(ended, dict):
                return ended
            now |= ended
    return now


async def _try(
    step: Step,
    work: EncodePayload,
    output: OutputWork,
    wanted: int | None,
    path: Path,
    made: Source,
) -> Try | Failure | None:
    """What came of encoding `output`, in which `wanted` bits per second were to be kept; None where
    nothing can come of it."""
    rendition, gpu = output.rendition, step.assignment.gpu is not None
    if wanted is None or rendition.crf is None or rendition.max_bitrate is None:
        return None
    if not encoder_for(rendition.codec, gpu).cap_is_goal:
        return None
    bound = bound_for(wanted, None if work.video.chunk is None else work.video.chunk.shortest)
    if surely_kept(bound, made.video.peak_bitrate):
        return None
    kept = await step.toolbox.prober.kept_share(path, bound)
    if isinstance(kept, Failure):
        return kept
    return Try(rendition.crf, rendition.max_bitrate, kept.share)


def _harder(step: Step, output: OutputWork, tries: list[Try]) -> OutputWork | None:
    encoder = encoder_for(output.rendition.codec, step.assignment.gpu is not None)
    if (given := tightened(tries, encoder.max_crf)) is None:
        return None
    crf, max_bitrate = given
    rendition = output.rendition.model_copy(update={"crf": crf, "max_bitrate": max_bitrate})
    return output.model_copy(update={"rendition": rendition, "tries": len(tries) + 1})
