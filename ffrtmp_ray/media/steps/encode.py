"""Encode one chunk in every rendition, and make sure that no frame is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Ended, Failed, Replaced, Stopped, Succeeded
from ffrtmp_ray.media.encode.tighten import tries_of
from ffrtmp_ray.media.plan.admit import plan_task
from ffrtmp_ray.media.plan.payloads import EncodedFile, EncodePayload
from ffrtmp_ray.media.probe.source import FrameCount, Source, VideoStream
from ffrtmp_ray.media.process.concealed import is_concealed, is_doubted
from ffrtmp_ray.media.spec import Verify
from ffrtmp_ray.media.steps import direct, reuse
from ffrtmp_ray.media.steps.decoding import undecodable
from ffrtmp_ray.media.steps.encoding import encode
from ffrtmp_ray.media.steps.exactness import digest_of, expected_of, fault_of
from ffrtmp_ray.media.steps.mark import change_of
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.media.steps.tightening import keep_bitrates

DAMAGE_LIMIT = 0.02
"""Share of a source's packets that may fail to decode: hours of broadcast have some, and a file
that has lost more is not worth an output."""

_UNTIMED = "; the source shows frames at the same time, or does not say when"
"""A cause that its owner can remove: Matroska, for one, has no times before zero, and a file that
was written as if it had has them wrong."""
_CONCEALED = "the source is damaged: its decoder made up parts of the picture"
_LAST = "the source does not say for sure when its last frame is shown"
_PLAN_ANEW = (FailureKind.INEXACT, FailureKind.BAD_INPUT, FailureKind.UNSUPPORTED)
"""Ways in which a chunk may fail and the whole file may not."""


async def run(step: Step) -> Ended:
    work = EncodePayload.model_validate(step.assignment.payload)
    if work.direct is not None:
        return await direct.make(step, work, work.direct)
    folder = await step.make_folder()
    paths = {
        each.rendition.name: folder / f"{each.rendition.name}.mp4" for each in work.video.outputs
    }
    addresses = await reuse.addresses(step, work)
    made = await reuse.take(step, work, addresses, paths)
    missing = tuple(each for each in work.video.outputs if each.rendition.name not in made)
    new = {each.rendition.name: paths[each.rendition.name] for each in missing}
    if missing:
        looked = await encode(step, work, missing, new)
        if isinstance(looked, dict):
            looked = await keep_bitrates(step, work, missing, new, looked)
        if not isinstance(looked, dict):
            await reuse.make_room(step, looked)
            return _unless_cut(work, looked)
        if (changed := await change_of(step, work.video.mark)) is not None:
            return Failed(changed)
        if (damaged := await _damaged(step, work)) is not None:
            return _unless_cut(work, damaged)
        if fault_of(work, expected_of(work), _pictures(looked)) is not None:
            return _unless_cut(work, await _recount(step, work, paths, {**made, **looked}))
        await reuse.keep(step, addresses, new)
        made = {**made, **looked}
    if (ended := await _verify(step, work, paths, made)) is not None:
        await reuse.drop(step, addresses)
        return _unless_cut(work, ended)
    concealed = work.plan is None and is_concealed(step.processes.log)
    warnings = (_CONCEALED,) if concealed else ()
    result = await _result(step, paths, made, warnings, addresses)
    return Succeeded({**result, "reused": sorted(paths.keys() - new.keys())})


def _pictures(made: Mapping[str, Source]) -> dict[str, VideoStream]:
    return {name: source.video for name, source in made.items()}


async def _damaged(step: Step, work: EncodePayload) -> Failed | None:
    """Decoders make up what is damaged from what they have decoded before, of which a chunk has not
    all: so a damaged picture is not cut. None where all that the chunk needs is sound."""
    chunk = work.video.chunk
    if work.plan is None or chunk is None or not is_doubted(step.processes.log):
        return None
    async with step.open_input(work.input) as source:
        found = await step.toolbox.prober.damage(
            source.address, chunk, timeout_seconds=step.timeout_seconds
        )
    if isinstance(found, Failure):
        return Failed(found)
    if not found.packets:
        return None
    reason = f"the source is damaged there: {found.packets} packets cannot be decoded as a whole"
    return Failed(Failure(FailureKind.INEXACT, reason))


async def _verify(
    step: Step, work: EncodePayload, paths: Mapping[str, Path], made: Mapping[str, Source]
) -> Failed | Stopped | None:
    """Decode everything, if that is wanted."""
    if work.verify is Verify.SAMPLED:
        return None
    for name, path in paths.items():
        if (ended := await undecodable(step, path, made[name].video.frames)) is not None:
            return ended
    return None


def _unless_cut(work: EncodePayload, ended: Ended) -> Ended:
    """A chunk that cannot be made, or not exactly, has the job encoded in one piece: that may be
    for how the file was sought in, and the whole file has the last word."""
    if work.plan is None or not isinstance(ended, Failed) or ended.failure.kind not in _PLAN_ANEW:
        return ended
    chunk = f"the chunk at {float(work.start):.3f} s is not exact"
    again = work.plan.in_one_piece(f"{chunk} ({ended.failure.reason})")
    return Replaced(f"{chunk}: {ended.failure.reason}", (plan_task(again),))


async def _recount(
    step: Step, work: EncodePayload, paths: Mapping[str, Path], made: Mapping[str, Source]
) -> Ended:
    """Packets are not frames: what decoding shows has the last word."""
    chunk = work.video.chunk
    part = (None, None) if chunk is None else (chunk.start_pts, chunk.end_pts)
    async with step.open_input(work.input) as source:
        count = await step.toolbox.prober.count(
            source.address, part, timeout_seconds=step.timeout_seconds
        )
    if isinstance(count, Failure):
        return Failed(count)
    most = DAMAGE_LIMIT * work.frames if work.plan is None else count.trailing
    if count.damaged > most:
        reason = f"the video is damaged: {count.damaged} of {work.frames} packets cannot be decoded"
        return Failed(Failure(FailureKind.BAD_INPUT, reason))
    span = count.last - count.first
    if (regular := work.video.regular) is not None:
        span = (count.frames - 1) * regular.step * regular.time_base
    expected = replace(expected_of(work), frames=count.frames, span=span)
    pictures = _pictures(made)
    wrong = fault_of(work, expected, pictures)
    said = _warnings(work, count)
    if wrong is not None and work.plan is None and work.countable:  # as ffmpeg shows the whole file
        slack = max(work.duration - work.span, Fraction(0))
        wrong, said = fault_of(work, replace(expected, slack=slack), pictures), (*said, _LAST)
    if wrong is not None:
        why = "" if work.countable else _UNTIMED
        return Failed(Failure(FailureKind.INEXACT, wrong + why))
    return Succeeded(await _result(step, paths, made, said, {}))


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
    made: Mapping[str, Source],
    warnings: tuple[str, ...],
    addresses: Mapping[str, str],
) -> dict[str, object]:
    files = {
        name: EncodedFile(
            path=step.toolbox.workspace.relative(path),
            frames=video.frames,
            span=video.last - video.first,
            times=digest_of(video.ticks),
            extradata=video.extradata,
            address=addresses.get(name, ""),
            tries=tries_of(made[name].tags),
        ).model_dump(mode="json")
        for name, path in paths.items()
        if (video := made[name].video)
    }
    version = await step.toolbox.ffmpeg_version()
    return {"files": files, "ffmpeg": version, "warnings": list(warnings)}
