"""Which renditions a source already is, so that its packets are copied and not encoded. Pure.

Whatever changes a picture on its way to a rendition must be asked about here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from ffrtmp_ray.core.model import NewTask
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.encoders import encoder_for
from ffrtmp_ray.media.plan.encodes import bit_depth_of
from ffrtmp_ray.media.plan.grid import output_ticks
from ffrtmp_ray.media.plan.needs import LIGHT
from ffrtmp_ray.media.plan.outputs import OutputKind, check_codecs
from ffrtmp_ray.media.plan.payloads import CopyPayload, InputFile, PlanPayload
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.spec import Codec, Copying, Rendition, rendition_field
from ffrtmp_ray.media.timing import timescale

COPY_NAME = "copy"
_SHARE = 0.05
"""The weight of a copy by that of an encode."""


def with_source_codec(work: PlanPayload, kind: OutputKind, video: VideoStream) -> PlanPayload:
    """`work` with the codec of the source in renditions that are always copied.

    Raises InvalidRequest when an output of that `kind` cannot hold it.
    """
    if video.codec not in {codec.value for codec in Codec}:
        return work
    codec = Codec(video.codec)
    renditions = tuple(
        each.model_copy(update={"codec": codec}) if each.copying is Copying.ALWAYS else each
        for each in work.ladder.renditions
    )
    ladder = work.ladder.model_copy(update={"renditions": renditions})
    check_codecs(kind, ladder)
    return work.model_copy(update={"ladder": ladder})


def copy_tasks(
    work: PlanPayload,
    video: VideoStream,
    file: InputFile,
    outputs: Sequence[OutputWork],
) -> Iterator[NewTask]:
    """One, for all of `outputs`: what is the source is the same for each."""
    if not outputs:
        return
    payload = CopyPayload(
        input=file,
        stream=video.index,
        codec=outputs[0].rendition.codec,
        first_pts=video.ticks[0],
        timescale=timescale(video.time_base),
        renditions=tuple(output.rendition.name for output in outputs),
        frames=video.frames,
        span=video.last - video.first,
        duration=video.end - video.first,
        plan=work,
    )
    yield NewTask(
        name=COPY_NAME,
        kind="copy",
        needs=LIGHT,
        payload=payload.model_dump(mode="json"),
        weight=float(payload.duration) * _SHARE,
    )


def copies_said(copies: Sequence[OutputWork]) -> Iterator[str]:
    """That some renditions are no encodes, as a sentence for the user."""
    if copies:
        names = ", ".join(output.rendition.name for output in copies)
        yield f"copied from the source, which is what they should be already: {names}"


Outputs: TypeAlias = tuple[OutputWork, ...]


def parted(
    work: PlanPayload, video: VideoStream, outputs: Outputs, starts: Sequence[int]
) -> tuple[Outputs, Outputs]:
    """Those of `outputs` that are to be encoded, and those that are to be copied; `starts` are the
    times of the segments of a package, in ticks of the outputs.

    Raises InvalidRequest when one that must be copied cannot be.
    """
    copies = tuple(
        output
        for number, output in enumerate(outputs)
        if _is_copied(work, video, output, starts, rendition_field(number, "copying"))
    )
    return tuple(output for output in outputs if output not in copies), copies


def _is_copied(
    work: PlanPayload, video: VideoStream, output: OutputWork, starts: Sequence[int], where: str
) -> bool:
    rendition = output.rendition
    if rendition.copying is Copying.NEVER:
        return False
    reason = next(_hindrances(work, video, output, starts), None)
    if rendition.copying is Copying.ALLOWED:
        return reason is None and _suits(work, video, rendition)
    if reason is not None:
        raise InvalidRequest(
            f"{rendition.name} cannot be copied: {reason}",
            where=where,
            remedy="use allowed, which encodes what cannot be copied",
        )
    return True


def _suits(work: PlanPayload, video: VideoStream, rendition: Rendition) -> bool:
    """Whether the source is small enough, and nobody wants it looked at as an encode."""
    most = rendition.max_bitrate
    judged = bool(work.quality) or rendition.target_vmaf is not None
    return not judged and most is not None and video.peak_bitrate <= most


def _hindrances(
    work: PlanPayload, video: VideoStream, output: OutputWork, starts: Sequence[int]
) -> Iterator[str]:
    """Why the source cannot be `output` as it is, as clauses."""
    if work.copies_fail is not None:
        yield work.copies_fail
    yield from _differences(video, output)
    if work.watermark is not None:
        yield "a watermark lies over it"
    if work.burned is not None:
        yield "subtitles are burned in"
    if video.trimmed:
        yield "a part is taken of the source"
    if not video.ticks or video.keyframes[:1] != video.ticks[:1]:
        yield "the source does not begin with a keyframe, or does not say when frames are shown"
    elif not set(starts) <= _keyframes(video):
        yield "the source has no keyframes where segments begin"


def _differences(video: VideoStream, output: OutputWork) -> Iterator[str]:
    rendition = output.rendition
    if video.rotation:
        yield "the source is turned when it is shown"
    if video.codec != rendition.codec.value:
        yield f"the source is {video.codec}, not {rendition.codec}"
    if (output.width, output.height) != (video.width, video.height) or video.sample_aspect != 1:
        yield f"it is {output.width}x{output.height}, and the source is not"
    wanted = encoder_for(rendition.codec, gpu=False).pixel_format(bit_depth_of(video))
    if video.pixel_format != wanted:
        yield f"the source's pixels are {video.pixel_format}, not {wanted}"
    if video.interlaced:
        yield "the source is interlaced"
    if video.hdr:
        yield "the source is HDR, of which not all would be stated"
    if rendition.fps is not None:
        yield "it has a frame rate of its own"


def _keyframes(video: VideoStream) -> set[int]:
    """When they are shown, in ticks of the outputs."""
    keys = set(video.keyframes)
    return {out for tick, out in zip(video.ticks, output_ticks(video), strict=True) if tick in keys}
