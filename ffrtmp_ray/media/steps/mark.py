"""The image that is laid over a picture: found when the job is planned, and the same ever after."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.encode.work import Mark
from ffrtmp_ray.media.plan.mark import mark_of
from ffrtmp_ray.media.plan.payloads import PlanPayload
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.storage.places import check_side_file

WHERE = "watermark.image"


async def with_mark(step: Step, work: PlanPayload, video: VideoStream) -> PlanPayload | Failure:
    """The plan with the watermark that it asks for. Raises InputRefused and InvalidRequest."""
    if work.watermark is None:
        return work
    path = await step.in_thread(check_side_file, work.watermark.image, step.toolbox.settings, WHERE)
    image = await step.toolbox.prober.image(path)
    if isinstance(image, Failure):
        return Failure(image.kind, f"{WHERE}: {image.reason}")
    sha256 = await step.in_thread(_sha256, path)
    mark = mark_of(work.watermark, str(path), sha256, image, video)
    return work.model_copy(update={"mark": mark})


async def change_of(step: Step, mark: Mark | None) -> Failure | None:
    """Chunks with different images are no picture: why the job cannot go on; None when it can."""
    if mark is None:
        return None
    path = await step.in_thread(check_side_file, mark.path, step.toolbox.settings, WHERE)
    if await step.in_thread(_sha256, path) == mark.sha256:
        return None
    return Failure(FailureKind.BAD_INPUT, f"{path.name} was changed while the job ran: retry it")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
