"""Make what is staged and verified visible, and clear up behind the job. May be repeated."""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Ended, Failed, Succeeded
from ffrtmp_ray.media.plan.payloads import PublishPayload
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.storage.publish import Publication, publish, remove_stale


async def run(step: Step) -> Ended:
    work = PublishPayload.model_validate(step.assignment.payload)
    return await step.in_thread(_publish, step, work)


def _publish(step: Step, work: PublishPayload) -> Ended:
    staged, target = Path(work.staged), Path(work.target)
    outcome = publish(staged, target)
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
    remove_stale(target, step.assignment.job_id)
    return Succeeded({"outputs": [output.model_dump(mode="json") for output in work.outputs]})
