"""Look at the source and spawn the tasks that make the outputs."""

from __future__ import annotations

from functools import partial

from ffrtmp_ray.core.model import Failure
from ffrtmp_ray.media.assignment import Ended, Failed, Succeeded
from ffrtmp_ray.media.plan.make import make_plan
from ffrtmp_ray.media.plan.outputs import output_kind
from ffrtmp_ray.media.plan.payloads import PlanPayload
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
    plan = make_plan(work, source, path, target, farm_cpus=step.assignment.farm_cpus)
    described = source.model_dump(mode="json", exclude={"video": {"keyframes", "ticks"}})
    return Succeeded({"source": described, "warnings": list(plan.warnings)}, plan.tasks)
