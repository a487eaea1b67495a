"""Make what is staged and verified visible, and clear up behind the job. May be repeated."""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Ended, Failed, Succeeded
from ffrtmp_ray.media.plan.payloads import PublishPayload
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.storage.publish import Publication, publish, remove_stale
from ffrtmp_ray.storage.publish_objects import publish_objects
from ffrtmp_ray.storage.urls import scheme_of


async def run(step: Step) -> Ended:
    work = PublishPayload.model_validate(step.assignment.payload)
    return await step.in_thread(_publish, step, work)


def _publish(step: Step, work: PublishPayload) -> Ended:
    target = work.target
    if scheme_of(target) is None:
        outcome = publish(Path(work.staged), Path(target))
    else:
        outputs = [output.path for output in work.outputs]
        staged = step.toolbox.workspace.absolute(work.staged)
        publication = _publication(work)
        step.toolbox.note_publishing(target, publication)
        outcome = publish_objects(staged, target, outputs, publication)
    if outcome is Publication.OCCUPIED:
        return Failed(
            Failure(
                FailureKind.OUTPUT_EXISTS,
                f"something appeared at {target} while the job ran; outputs are never replaced: "
                "move it away and retry the job",
            )
        )
    if outcome is Publication.LOST:
        return Failed(
            Failure(FailureKind.CRASHED, f"the finished output was removed before it was {target}")
        )
    step.toolbox.workspace.remove_job(step.assignment.job_id)
    if scheme_of(target) is None:
        remove_stale(Path(target), step.assignment.job_id)
    return Succeeded({"outputs": [output.model_dump(mode="json") for output in work.outputs]})


def _publication(work: PublishPayload) -> str:
    """The attempt that made what is published: `<job>/<attempt>`, as in the workspace."""
    return "/".join(Path(work.staged).parts[:2])
