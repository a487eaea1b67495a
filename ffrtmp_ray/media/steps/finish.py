"""Make the outputs of all that was encoded: verified, staged, and not yet visible.

What is made is the business of `files` and `segments`; publishing is a task of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ffrtmp_ray.core.model import NewTask
from ffrtmp_ray.media.assignment import Ended, Succeeded
from ffrtmp_ray.media.plan.needs import PLAN
from ffrtmp_ray.media.plan.payloads import FinishPayload, PublishPayload
from ffrtmp_ray.media.quality.report import quality_of
from ffrtmp_ray.media.steps import files, segments, sound_file
from ffrtmp_ray.media.steps.beside import put_beside
from ffrtmp_ray.media.steps.bitrate import over
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.storage.places import check_output_place
from ffrtmp_ray.storage.publish import make_staging, remove_stale, staging_path
from ffrtmp_ray.storage.urls import scheme_of
from ffrtmp_ray.views import OutputView

PUBLISH_NAME = "publish"


async def run(step: Step) -> Ended:
    work = FinishPayload.model_validate(step.assignment.payload)
    folder = await step.make_folder()
    staged = await step.in_thread(stage, step, work, folder)
    if not work.files:
        made = await sound_file.make(step, work, folder, staged)
    elif work.packaging is None:
        made = await files.make(step, work, folder, staged)
    else:
        made = await segments.make(step, work, work.packaging, folder, staged)
    if not isinstance(made, tuple):
        return made
    loudness = tuple(step.assignment.results[each.task].get("loudness") for each in work.sounds)
    if any(loudness):
        made = tuple(
            OutputView.model_validate(dict(each) | {"loudness": loudness}) for each in made
        )
    beside = await step.in_thread(put_beside, step, work, staged)
    outputs = (*made, *beside)
    quality = quality_of(step.assignment.results.values())
    result = {"quality": [view.model_dump(mode="json") for view in quality]}
    return staged_well(step, work, staged, outputs, result)


def staged_well(
    step: Step,
    work: FinishPayload,
    staged: Path,
    outputs: tuple[OutputView, ...],
    result: Mapping[str, object],
) -> Succeeded:
    """`result`, with what is to be said of the outputs; they are to be published."""
    payload = PublishPayload(staged=_named(step, work, staged), target=work.target, outputs=outputs)
    said = [text for output in outputs if (text := over(output)) is not None]
    return Succeeded({**result, "warnings": said}, (_publish_task(payload),))


def stage(step: Step, work: FinishPayload, folder: Path) -> Path:
    """A free place for the output: in the workspace when it is to go to an object store, else
    beside its target, noted so that it is found again; older tries' are removed."""
    attempt_id, target = step.assignment.attempt_id, Path(work.target)
    check_output_place(work.target, step.toolbox.settings, folder=work.folder)
    if scheme_of(work.target) is not None:
        staged = folder / "output"
        if work.folder:
            staged.mkdir()
        return staged
    step.toolbox.note_staged(folder, staging_path(target, attempt_id))
    remove_stale(target, step.assignment.job_id)
    staged = make_staging(target, attempt_id, folder=work.folder)
    step.space.watch("the output", staged)
    return staged


def _named(step: Step, work: FinishPayload, staged: Path) -> str:
    """What is staged as another node finds it."""
    return (
        str(staged) if scheme_of(work.target) is None else step.toolbox.workspace.relative(staged)
    )


def _publish_task(payload: PublishPayload) -> NewTask:
    return NewTask(
        name=PUBLISH_NAME,
        kind="publish",
        needs=PLAN,
        payload=payload.model_dump(mode="json"),
        weight=0,
        final=True,
    )
