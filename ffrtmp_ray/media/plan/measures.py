"""The tasks that compare a job's encodes with their source, one for each chunk. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction

from ffrtmp_ray.core.model import Needs, NewTask, Requirement, Resources
from ffrtmp_ray.media.encode.size import fit
from ffrtmp_ray.media.encode.work import OutputWork, VideoWork
from ffrtmp_ray.media.plan.cost import encode_pixels
from ffrtmp_ray.media.plan.cuts import Chunk, widened
from ffrtmp_ray.media.plan.encodes import encode_name
from ffrtmp_ray.media.plan.payloads import EncodePayload, MeasurePayload, PlanPayload
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.quality.compare import LIBVMAF, too_small
from ffrtmp_ray.media.spec import Measure

MOST_LINES = 2160
"""Larger pictures are compared at that size: no model knows larger ones, and memory is bounded."""
MOST_LINES_FOR_TWO = 1440
"""Of pictures for which libvmaf gets two CPUs: with those bounds it takes less than 1 GiB."""
_VMAF_COST, _OTHER_COST = 13, 9
"""CPU time of a pixel by that of its decoding (`plan.cost`): VMAF's, and that of PSNR with SSIM."""


def measure_name(chunk: int) -> str:
    return f"measure{chunk}"


def stays_hdr(video: VideoStream, output: OutputWork) -> bool:
    """VMAF's models have seen no HDR, neither as an encode nor as its source."""
    return video.hdr and not output.tone_mapped


def measure_tasks(
    work: PlanPayload,
    video: VideoStream,
    chunks: Sequence[Chunk],
    encodes: Sequence[EncodePayload],
    cpus: int,
) -> list[NewTask]:
    """One for each of `encodes`, which takes up to `cpus` CPUs; none where nothing is asked for."""
    pairs = zip(chunks, encodes, strict=True)
    payloads = [_payload(work, video, chunk, encode) for chunk, encode in pairs]
    if not payloads or not any(payloads[0].measures.values()):
        return []
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


def measure_warnings(
    work: PlanPayload, video: VideoStream, outputs: Sequence[OutputWork]
) -> Iterator[str]:
    names = [output.rendition.name for output in outputs if stays_hdr(video, output)]
    if Measure.VMAF in work.quality and names:
        yield f"VMAF is not measured of {', '.join(names)}: its models do not know HDR"
    width, height = compared_size(video)
    for measure in work.quality:
        if too_small(measure, width, height):
            yield (
                f"{measure.name} is not measured: pictures of {width}x{height} are too small for it"
            )


def _measures(work: PlanPayload, video: VideoStream, output: OutputWork) -> tuple[Measure, ...]:
    without = {each for each in work.quality if too_small(each, *compared_size(video))}
    if stays_hdr(video, output):
        without.add(Measure.VMAF)
    return tuple(measure for measure in work.quality if measure not in without)


def _payload(
    work: PlanPayload, video: VideoStream, chunk: Chunk, encode: EncodePayload
) -> MeasurePayload:
    width, height = compared_size(video)
    wide = widened(video, chunk)
    before = wide.start < chunk.start
    return MeasurePayload(
        encode=encode_name(chunk.number),
        input=encode.input,
        video=_spanning(wide, encode.video),
        chunk=encode.video.chunk,
        before=before,
        after=wide.frames > chunk.frames + before,
        width=width,
        height=height,
        measures={o.rendition.name: _measures(work, video, o) for o in encode.video.outputs},
    )


def _spanning(chunk: Chunk, work: VideoWork) -> VideoWork:
    if work.chunk is None:
        return work
    span = {"seek_seconds": chunk.seek, "start_pts": chunk.start_pts, "end_pts": chunk.end_pts}
    return work.model_copy(update={"chunk": work.chunk.model_copy(update=span)})


def _share(video: VideoStream, payload: MeasurePayload) -> Fraction:
    """CPU time by that of the encode."""
    cost = sum(map(_cost, payload.measures.values())) * payload.width * payload.height
    return Fraction(cost, encode_pixels(video, payload.video.outputs))


def _cost(measures: Collection[Measure]) -> int:
    others = set(measures) - {Measure.VMAF}
    return _VMAF_COST * (Measure.VMAF in measures) + _OTHER_COST * bool(others)
