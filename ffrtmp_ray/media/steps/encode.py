"""Encode one chunk in every rendition, and make sure that no frame is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Ended, Failed, Succeeded
from ffrtmp_ray.media.encode.video import video_argv
from ffrtmp_ray.media.plan.payloads import EncodedFile, EncodePayload
from ffrtmp_ray.media.probe.source import FrameCount, VideoStream
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.steps.exactness import Expected, difference
from ffrtmp_ray.media.steps.step import Step

DAMAGE_LIMIT = 0.02
"""Share of a source's packets that may fail to decode: hours of broadcast have some, and a file
that has lost more is not worth an output."""


async def run(step: Step) -> Ended:
    work = EncodePayload.model_validate(step.assignment.payload)
    folder = await step.make_folder()
    paths = {
        each.rendition.name: folder / f"{each.rendition.name}.mp4" for each in work.video.outputs
    }

    def fraction(progress: ProcessProgress) -> float:
        return progress.frame / max(work.frames, 1)

    argv = video_argv(
        step.toolbox.ffmpeg,
        work.input,
        work.video,
        outputs={name: str(path) for name, path in paths.items()},
        cpus=max(step.assignment.cpus, 1),
        gpu=step.assignment.gpu,
    )
    if (ended := await step.ffmpeg(argv, fraction)) is not None:
        return ended
    made = await _look_at(step, paths)
    if isinstance(made, Failure):
        return Failed(made)
    tail = work.duration - work.span
    wrong = _wrong(work, Expected(work.frames, work.span, tail), made)
    if wrong is None:
        return Succeeded(await _result(step, paths, made, ()))
    return await _recount(step, work, paths, made)


async def _look_at(step: Step, paths: Mapping[str, Path]) -> dict[str, VideoStream] | Failure:
    made = {}
    for name, path in paths.items():
        found = await step.toolbox.prober.probe(path)
        if isinstance(found, Failure):
            return Failure(FailureKind.INEXACT, f"nothing usable was encoded: {found.reason}")
        made[name] = found.video
    return made


def _wrong(work: EncodePayload, expected: Expected, made: Mapping[str, VideoStream]) -> str | None:
    for output in work.video.outputs:
        wrong = difference(
            expected,
            made[output.rendition.name],
            timescale=work.video.timescale,
            fps=output.rendition.fps,
        )
        if wrong is not None:
            return f"{output.rendition.name}: {wrong}"
    return None


async def _recount(
    step: Step, work: EncodePayload, paths: Mapping[str, Path], made: Mapping[str, VideoStream]
) -> Ended:
    """Packets are not frames: what decoding shows has the last word."""
    count = await step.toolbox.prober.count(Path(work.input), timeout_seconds=step.timeout_seconds)
    if isinstance(count, Failure):
        return Failed(count)
    if count.damaged > DAMAGE_LIMIT * work.frames:
        reason = f"the video is damaged: {count.damaged} of {work.frames} packets cannot be decoded"
        return Failed(Failure(FailureKind.BAD_INPUT, reason))
    tail = work.duration - work.span
    wrong = _wrong(work, Expected(count.frames, count.last - count.first, tail), made)
    if wrong is not None:
        return Failed(Failure(FailureKind.INEXACT, wrong))
    return Succeeded(await _result(step, paths, made, _warnings(work, count)))


def _warnings(work: EncodePayload, count: FrameCount) -> tuple[str, ...]:
    if not work.countable and not count.damaged:
        return ()
    return (
        f"the source has {work.frames} packets of video, of which {count.frames} frames "
        f"can be decoded; {count.damaged} packets are damaged",
    )


async def _result(
    step: Step,
    paths: Mapping[str, Path],
    made: Mapping[str, VideoStream],
    warnings: tuple[str, ...],
) -> dict[str, object]:
    files = {
        name: EncodedFile(
            path=step.toolbox.workspace.relative(path),
            frames=made[name].frames,
            span=made[name].last - made[name].first,
            extradata=made[name].extradata,
        ).model_dump(mode="json")
        for name, path in paths.items()
    }
    version = await step.toolbox.ffmpeg_version()
    return {"files": files, "ffmpeg": version, "warnings": list(warnings)}
