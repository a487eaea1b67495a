"""The tasks that compare a job's encodes with their source, one for each chunk. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from ffrtmp_ray.core.model import Needs, NewTask, Requirement, Resources
from ffrtmp_ray.media.encode.size import fit
from ffrtmp_ray.media.encode.work import VideoWork
from ffrtmp_ray.media.plan.cost import encode_pixels
from ffrtmp_ray.media.plan.cuts import Chunk, widened
from ffrtmp_ray.media.plan.encodes import encode_name
from ffrtmp_ray.media.plan.payloads import EncodePayload, MeasurePayload, PlanPayload
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.quality.compare import LIBVMAF
from ffrtmp_ray.media.spec import Measure

MOST_LINES = 2160
"""Larger pictures are compared at that size: no model knows larger ones, and memory is bounded."""
MOST_LINES_FOR_TWO = 1440
"""Of pictures for which libvmaf gets two CPUs: with those bounds it takes less than 1 GiB."""
_VMAF_COST, _OTHER_COST = 13, 9
"""CPU time of a pixel by that of its decoding (`plan.cost`): VMAF's, and that of PSNR with SSIM."""


def measure_name(chunk: int) -> str:
    return f"measure{chunk}"


def measures_of(work: PlanPayload, video: VideoStream) -> tuple[Measure, ...]:
    """Those that are asked for and that there can be: VMAF's models have seen no HDR."""
    return tuple(m for m in work.quality if not (m is Measure.VMAF and video.hdr))


def measure_tasks(
    work: PlanPayload,
    video: VideoStream,
    chunks: Sequence[Chunk],
    encodes: Sequence[EncodePayload],
    cpus: int,
) -> list[NewTask]:
    """One for each of `encodes`, which takes up to `cpus` CPUs; none where nothing is asked for."""
    measures = measures_of(work, video)
    if not measures:
        return []
    pairs = zip(chunks, encodes, strict=True)
    payloads = [_payload(video, chunk, encode, measures) for chunk, encode in pairs]
    return [
        NewTask(
            name=measure_name(number),
            kind="measure",
            needs=measure_needs(payload.width, payload.height, cpus),
            payload=payload.model_dump(mode="json"),
            waits_for=(payload.encode,),
            weight=float(encode.duration * _share(video, payload)),
        )
        for number, (payload, encode) in enumerate(zip(payloads, encodes, strict=True))
    ]


def compared_size(video: VideoStream) -> tuple[int, int]:
    """At which renditions are compared: the source's, as it is shown."""
    aspect, rotation = video.sample_aspect, video.rotation
    return fit(video.width, video.height, aspect, rotation, MOST_LINES)


def measure_needs(width: int, height: int, cpus: int) -> Needs:
    """Of comparing pictures of that size, with up to `cpus` CPUs."""
    most = min(cpus, 2 if min(width, height) <= MOST_LINES_FOR_TWO else 1)
    wanted = (Resources(cpus=number) for number in range(most, 0, -1))
    return Needs(tuple(Requirement(each, frozenset({LIBVMAF})) for each in wanted))


def measure_warnings(work: PlanPayload, video: VideoStream) -> Iterator[str]:
    if len(measures_of(work, video)) < len(work.quality):
        yield "VMAF is not measured: the source is HDR, which its models do not know"


def _payload(
    video: VideoStream, chunk: Chunk, encode: EncodePayload, measures: tuple[Measure, ...]
) -> MeasurePayload:
    width, height = compared_size(video)
    wide = widened(video, chunk)
    before = wide.start < chunk.start
    return MeasurePayload(
        encode=encode_name(chunk.number),
        input=encode.input,
        video=_spanning(wide, encode.video),
        before=before,
        after=wide.frames > chunk.frames + before,
        width=width,
        height=height,
        measures=measures,
    )


def _spanning(chunk: Chunk, work: VideoWork) -> VideoWork:
    if work.chunk is None:
        return work
    span = {"seek_seconds": chunk.seek, "start_pts": chunk.start_pts, "end_pts": chunk.end_pts}
    return work.model_copy(update={"chunk": work.chunk.model_copy(update=span)})


def _share(video: VideoStream, payload: MeasurePayload) -> Fraction:
    """CPU time by that of the encode."""
    compared = payload.width * payload.height * len(payload.video.outputs)
    cost = _VMAF_COST * (Measure.VMAF in payload.measures)
    cost += _OTHER_COST * bool(set(payload.measures) - {Measure.VMAF})
    return Fraction(compared * cost, encode_pixels(video, payload.video.outputs))
