"""Look at the source and spawn the tasks that make the outputs: first those that make ready what
encodes need, where there is something: text to burn in, crfs that the ladder leaves open."""

from __future__ import annotations

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from ffrtmp_ray.core.model import Failure
from ffrtmp_ray.media.assignment import Ended, Failed, Succeeded
from ffrtmp_ray.media.plan.burn import burn_tasks, with_burned
from ffrtmp_ray.media.plan.direct import direct
from ffrtmp_ray.media.plan.encodes import input_file
from ffrtmp_ray.media.plan.make import make_plan
from ffrtmp_ray.media.plan.make_sound import make_sound_plan
from ffrtmp_ray.media.plan.outputs import output_kind
from ffrtmp_ray.media.plan.payloads import FoundFile, InputFile, PlanPayload
from ffrtmp_ray.media.plan.trim import overrun, span_of, trimmed, trimmed_by_count
from ffrtmp_ray.media.plan.tunes import tune_tasks, tuned
from ffrtmp_ray.media.probe.source import Source
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.steps import splice
from ffrtmp_ray.media.steps.mark import with_mark
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.storage.open_input import IN_WORKSPACE, OpenInput, open_input
from ffrtmp_ray.storage.origin import Stamp
from ffrtmp_ray.storage.places import check_input_place, check_output_place
from ffrtmp_ray.storage.urls import scheme_of

_NO_PICTURE = ""
"""The fingerprint of a source of which no picture is decoded."""


async def run(step: Step) -> Ended:
    """The worker is the authority on paths: what was checked at submission is checked again."""
    work = PlanPayload.model_validate(step.assignment.payload)
    settings = step.toolbox.settings
    kind = output_kind(work.output, work.ladder, work.images)
    place = await step.in_thread(check_input_place, work.input, settings)
    check = partial(check_output_place, folder=kind.folder)
    target = await step.in_thread(check, work.output, settings)
    async with AsyncExitStack() as stack:
        place, stamp = _found(work, place, step)
        opening = open_input(place, settings, expected=stamp, spool=step.make_folder)
        opened = await step.within_space(stack.enter_async_context(opening))
        if isinstance(opened, Failure):
            return Failed(opened)
        work = work.model_copy(update={"fetched": _fetched(opened)})
        if not work.ladder.renditions:
            return await _of_sound(step, work, opened, target)
        source = await step.toolbox.prober.probe_input(opened.address, opened.stamp.bytes)
        if isinstance(source, Failure):
            return Failed(source)
        if not source.spliced:
            return await _of_picture(step, work, source, opened, target)
        path = await splice.spliced(step, opened)
    if not isinstance(path, Path):
        return path
    async with splice.open_spliced(step, path) as opened:
        source = await step.toolbox.prober.probe_input(opened.address, opened.stamp.bytes)
        if isinstance(source, Failure):
            return Failed(source)
        return await _of_picture(step, work, source, opened, target, splice.SAID)


async def _of_picture(
    step: Step, work: PlanPayload, source: Source, opened: OpenInput, target: str, *said: str
) -> Ended:
    """The plan of a job for what is in an open input; `said` is how that came about."""
    part = await _part(step, work.trim, source, opened.address)
    if isinstance(part, Failure):
        return Failed(part)
    described = source.model_dump(mode="json", exclude={"video": {"keyframes", "ticks"}})
    beyond = overrun(work.trim, source.video) if work.trim is not None else None
    file = input_file(opened.place, opened.stamp, part)
    warnings = [*said, *([beyond] if beyond is not None else [])]
    found = tuple(step.assignment.results.values())
    work = with_burned(tuned(work, found), found)
    if before := burn_tasks(work, source, part.video, file) or tune_tasks(work, part, file):
        return Succeeded({"source": described, "warnings": warnings}, before)
    marked = await with_mark(step, work, part.video)
    if isinstance(marked, Failure):
        return Failed(marked)
    plan = make_plan(marked, part, file, target, farm_cpus=step.assignment.farm_cpus)
    plan = direct(plan, marked, part)
    return Succeeded({"source": described, "warnings": [*warnings, *plan.warnings]}, plan.tasks)


def _found(work: PlanPayload, place: str, step: Step) -> tuple[str, Stamp | None]:
    """Where to look, and what must be there: what an earlier plan has fetched is not fetched again,
    as long as it is there."""
    file = work.fetched
    if file is None:
        return place, None
    path = step.toolbox.workspace.absolute(file.place.partition("://")[2])
    if not path.is_file():
        return place, None
    return file.place, file.stamp


def _fetched(opened: OpenInput) -> FoundFile | None:
    if scheme_of(opened.place) != IN_WORKSPACE:
        return None
    stamp = opened.stamp
    return FoundFile(place=opened.place, bytes=stamp.bytes, version=stamp.version)


async def _of_sound(step: Step, work: PlanPayload, opened: OpenInput, target: str) -> Ended:
    """The plan of a job that wants no picture, and looks for none."""
    source = await step.toolbox.prober.listen(opened.address, opened.stamp.bytes)
    if isinstance(source, Failure):
        return Failed(source)
    file = InputFile(
        place=opened.place,
        bytes=opened.stamp.bytes,
        version=opened.stamp.version,
        fingerprint=_NO_PICTURE,
    )
    plan = make_sound_plan(work, source, file, target)
    described = source.model_dump(mode="json")
    return Succeeded({"source": described, "warnings": list(plan.warnings)}, plan.tasks)


async def _part(step: Step, trim: Trim | None, source: Source, address: str) -> Source | Failure:
    """The source within the trim. Where packets do not say when frames are shown, decoding does."""
    if trim is None:
        return source
    span = span_of(trim, source.video)
    if source.video.ticks:
        return trimmed(source, span)
    count = await step.toolbox.prober.count(
        address, (span.start, span.end), timeout_seconds=step.timeout_seconds
    )
    return count if isinstance(count, Failure) else trimmed_by_count(source, span, count)
