"""The tasks that find a job's crfs by probing, and the plan that follows them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from ffrtmp_ray.core.model import Document, Needs, NewTask
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.encoders import encoder_for
from ffrtmp_ray.media.plan.admit import plan_task
from ffrtmp_ray.media.plan.cuts import whole
from ffrtmp_ray.media.plan.encodes import encode_payloads
from ffrtmp_ray.media.plan.limits import check_limits
from ffrtmp_ray.media.plan.measures import compared_size, measure_needs, stays_hdr
from ffrtmp_ray.media.plan.payloads import InputFile, PlanPayload, TunePayload
from ffrtmp_ray.media.plan.renditions import choose
from ffrtmp_ray.media.plan.samples import samples_of
from ffrtmp_ray.media.probe.source import Source
from ffrtmp_ray.media.quality.compare import too_small
from ffrtmp_ray.media.spec import Measure, Rendition, rendition_field
from ffrtmp_ray.views import TunedView

TUNE_CPUS = 2
"""x264 makes other bits with another number of threads; the same crf is to be found everywhere."""


def tuned(work: PlanPayload, results: Iterable[Document]) -> PlanPayload:
    """`work` with the crfs that `results` of tuning tasks have found."""
    found = [TunedView.model_validate(each["tuned"]) for each in results if "tuned" in each]
    crfs = {view.rendition: view.crf for view in found}
    renditions = tuple(
        with_crf(r, crfs[r.name]) if r.name in crfs else r for r in work.ladder.renditions
    )
    ladder = work.ladder.model_copy(update={"renditions": renditions})
    return work.model_copy(update={"ladder": ladder})


def with_crf(rendition: Rendition, crf: float) -> Rendition:
    return rendition.model_copy(update={"crf": crf, "target_vmaf": None})


def tune_tasks(work: PlanPayload, source: Source, file: InputFile) -> tuple[NewTask, ...]:
    """One for each rendition that has a target and no crf, and the plan that waits for them; none
    where there is no such rendition.

    Raises InvalidRequest when the ladder cannot be made, or not scored.
    """
    chosen = choose(work.ladder, source.video)
    untuned = [each for each in chosen.outputs if each.rendition.crf is None]
    if not untuned:
        return ()
    check_limits(work.ladder, chosen, source.video)
    _refuse_unscored(work, source, untuned)
    tasks = [_tune(f"tune{n}", work, source, file, each) for n, each in enumerate(untuned)]
    limited = (replace(task, timeout_seconds=work.task_timeout_seconds) for task in tasks)
    names = tuple(task.name for task in tasks)
    return (*limited, replace(plan_task(work), name="plan-tuned", waits_for=names))


def _refuse_unscored(work: PlanPayload, source: Source, untuned: list[OutputWork]) -> None:
    width, height = compared_size(source.video)
    for output in untuned:
        number = work.ladder.renditions.index(output.rendition)
        where = rendition_field(number, "target_vmaf")
        if stays_hdr(source.video, output):
            raise InvalidRequest(
                "the source is HDR, which no model of VMAF knows",
                where=where,
                remedy='give a crf, or tone-map it: `"dynamic_range": "sdr"`',
            )
        if too_small(Measure.VMAF, width, height):
            raise InvalidRequest(
                f"the picture has {width}x{height} pixels, which is too small for VMAF",
                where=where,
                remedy="give a crf",
            )


def _tune(
    name: str, work: PlanPayload, source: Source, file: InputFile, output: OutputWork
) -> NewTask:
    """Samples keep the source's frame rate, whatever the rendition's."""
    alone = output.model_copy(
        update={"rendition": output.rendition.model_copy(update={"fps": None})}
    )
    (encode,) = encode_payloads(work, source, file, whole(source.video), (alone,))
    width, height = compared_size(source.video)
    payload = TunePayload(
        input=encode.input,
        video=encode.video.model_copy(update={"chunk": None, "keyframes": ()}),
        samples=samples_of(source.video),
        width=width,
        height=height,
    )
    return NewTask(
        name=name,
        kind="tune",
        needs=_needs(payload, output),
        payload=payload.model_dump(mode="json"),
        weight=1,
    )


def _needs(payload: TunePayload, output: OutputWork) -> Needs:
    """To encode and to measure."""
    encoder = encoder_for(output.rendition.codec, gpu=False).name
    measuring = measure_needs(payload.width, payload.height, TUNE_CPUS)
    return Needs(
        tuple(
            replace(each, capabilities=each.capabilities | {encoder})
            for each in measuring.alternatives
        )
    )
