"""What can be known of a job before its source is seen, and the task that it starts with. Pure."""

from __future__ import annotations

from ffrtmp_ray.core.model import NewTask
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encoders import encoder_for
from ffrtmp_ray.media.plan.needs import PLAN
from ffrtmp_ray.media.plan.outputs import check_codecs, output_kind
from ffrtmp_ray.media.plan.payloads import PlanPayload
from ffrtmp_ray.media.spec import GpuUse, JobSpec, Ladder, rendition_field
from ffrtmp_ray.settings import Settings

PLAN_NAME = "plan"


def check_spec(spec: JobSpec) -> None:
    """Raises InvalidRequest when a spec, its preset resolved, asks for what cannot be."""
    ladder = ladder_of(spec)
    if not ladder.renditions:
        _check_sound_alone(spec)
    kind = output_kind(spec.output, ladder, spec.images)
    check_codecs(kind, ladder)
    for number, rendition in enumerate(ladder.renditions):
        encoder = encoder_for(rendition.codec, gpu=spec.gpu is GpuUse.REQUIRE)
        if rendition.crf is not None:
            encoder.check_crf(rendition.crf, rendition_field(number, "crf"))
        elif spec.gpu is not GpuUse.NEVER:
            raise InvalidRequest(
                "a crf that is found with a CPU's encoder means something else to a GPU's",
                where=rendition_field(number, "target_vmaf"),
                remedy="give a crf, or set gpu to never",
            )


def _check_sound_alone(spec: JobSpec) -> None:
    """What needs a picture has no place in a job that has none."""
    for where, wanted, what in (
        ("images", spec.images, "images are made beside a picture"),
        ("watermark", spec.watermark, "a watermark lies over a picture"),
        ("burn", spec.burn, "subtitles are burned into a picture"),
        ("quality", spec.quality, "quality is that of a picture"),
    ):
        if wanted:
            raise InvalidRequest(
                f"{what}, and the ladder has no renditions",
                where=where,
                remedy=f"leave out `{where}` for a file of sound alone",
            )


def first_task(spec: JobSpec, settings: Settings) -> NewTask:
    """The plan of a job whose spec has been checked."""
    payload = PlanPayload(
        input=spec.input,
        output=spec.output,
        ladder=ladder_of(spec),
        trim=spec.trim,
        metadata=spec.metadata,
        images=spec.images,
        watermark=spec.watermark,
        burn=spec.burn,
        gpu=spec.gpu,
        encode_cpus=settings.encode_cpus,
        task_timeout_seconds=spec.task_timeout_seconds,
        chunks=spec.chunks,
        chunk_seconds=settings.chunk_seconds,
        quality=spec.quality,
        verify=spec.verify,
    )
    return plan_task(payload)


def plan_task(payload: PlanPayload) -> NewTask:
    """The task that makes a job's other tasks, at first or anew."""
    return NewTask(
        name=PLAN_NAME,
        kind="plan",
        needs=PLAN,
        payload=payload.model_dump(mode="json"),
        weight=0,
        timeout_seconds=payload.task_timeout_seconds,
    )


def ladder_of(spec: JobSpec) -> Ladder:
    if spec.ladder is None:
        raise InvalidRequest(
            "the preset has not been resolved", where="preset", remedy="call presets.resolve first"
        )
    return spec.ladder
