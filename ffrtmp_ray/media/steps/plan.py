"""Look at the source and spawn the tasks that make the outputs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ffrtmp_ray.core.model import Failure
from ffrtmp_ray.media.assignment import Ended, Failed, Succeeded
from ffrtmp_ray.media.plan.make import make_plan
from ffrtmp_ray.media.plan.outputs import output_kind
from ffrtmp_ray.media.plan.payloads import PlanPayload
from ffrtmp_ray.media.plan.trim import overrun, span_of, trimmed, trimmed_by_count
from ffrtmp_ray.media.probe.source import Source
from ffrtmp_ray.media.spec_trim import Trim
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.storage.roots import check_input, check_output


async def run(step: Step) -> Ended:
    """The worker is the authority on paths: what was checked at submission is checked again."""
    work = PlanPayload.model_validate(step.assignment.payload)
    settings = step.toolbox.settings
    kind = output_kind(work.output, work.ladder)
    path = await step.in_thread(check_input, work.input, settings.input_roots)
    check = partial(check_output, folder=kind.folder)
    target = await step.in_thread(check, work.output, settings.output_roots)
    source = await step.toolbox.prober.probe(path)
    if isinstance(source, Failure):
        return Failed(source)
    described = source.model_dump(mode="json", exclude={"video": {"keyframes", "ticks"}})
    said: list[str] = []
    if work.trim is not None:
        if (warning := overrun(work.trim, source.video)) is not None:
            said.append(warning)
        part = await _trimmed(step, work.trim, source, path)
        if isinstance(part, Failure):
            return Failed(part)
        source = part
    plan = make_plan(work, source, path, target, farm_cpus=step.assignment.farm_cpus)
    return Succeeded({"source": described, "warnings": [*said, *plan.warnings]}, plan.tasks)


async def _trimmed(step: Step, trim: Trim, source: Source, path: Path) -> Source | Failure:
    """Where packets do not say when frames are shown, decoding does."""
    span = span_of(trim, source.video)
    if source.video.ticks:
        return trimmed(source, span)
    count = await step.toolbox.prober.count(
        path, (span.start, span.end), timeout_seconds=step.timeout_seconds
    )
    return count if isinstance(count, Failure) else trimmed_by_count(source, span, count)
