"""Take the source's packets for renditions that they already are, and see that all are there."""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.core.model import Failure
from ffrtmp_ray.media.assignment import Ended, Failed, Replaced, Succeeded
from ffrtmp_ray.media.encode.copy import copy_argv
from ffrtmp_ray.media.plan.admit import plan_task
from ffrtmp_ray.media.plan.payloads import CopyPayload, EncodedFile
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.spec import Verify
from ffrtmp_ray.media.steps.decoding import undecodable
from ffrtmp_ray.media.steps.exactness import Expected, difference, digest_of
from ffrtmp_ray.media.steps.step import Step


async def run(step: Step) -> Ended:
    work = CopyPayload.model_validate(step.assignment.payload)
    path = await step.make_folder() / "copy.mp4"

    def fraction(progress: ProcessProgress) -> float:
        return progress.frame / max(work.frames, 1)

    async with step.open_input(work.input) as source:
        argv = copy_argv(step.toolbox.ffmpeg, source.address, work, output=str(path))
        ended = await step.ffmpeg(argv, fraction)
    if isinstance(ended, Failed):
        return _encoded_instead(work, ended.failure.reason)
    if ended is not None:
        return ended
    made = await _made(step, work, path)
    if work.plan.verify is Verify.FULL and not isinstance(made, str):
        ended = await undecodable(step, path, made.frames)
        if isinstance(ended, Failed):
            return _encoded_instead(work, ended.failure.reason)
        if ended is not None:
            return ended
    if isinstance(made, str):
        return _encoded_instead(work, made)
    return Succeeded({"files": {name: made.model_dump(mode="json") for name in work.renditions}})


async def _made(step: Step, work: CopyPayload, path: Path) -> EncodedFile | str:
    """What the copy is; what is wrong with it, as a clause, where it is not the source."""
    found = await step.toolbox.prober.probe(path)
    if isinstance(found, Failure):
        return found.reason
    video = found.video
    wanted = Expected(work.frames, work.span)
    wrong = difference(wanted, video, timescale=work.timescale, fps=None)
    if wrong is not None:
        return wrong
    return EncodedFile(
        path=step.toolbox.workspace.relative(path),
        frames=video.frames,
        span=video.last - video.first,
        times=digest_of(video.ticks),
        extradata=video.extradata,
    )


def _encoded_instead(work: CopyPayload, reason: str) -> Ended:
    """The plan is made anew without copies; it refuses what must be one."""
    again = work.plan.model_copy(update={"copies_fail": f"copied, it was not exact ({reason})"})
    return Replaced(f"the source cannot be copied: {reason}", (plan_task(again),))
