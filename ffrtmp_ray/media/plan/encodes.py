"""The tasks that encode a job's picture, one for each chunk. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import chain
from typing import Literal

from ffrtmp_ray.core.model import Needs, NewTask
from ffrtmp_ray.media.encode.work import ChunkWork, Form, OutputWork, VideoWork
from ffrtmp_ray.media.plan.cascade import cascade
from ffrtmp_ray.media.plan.cuts import Chunk
from ffrtmp_ray.media.plan.grid import forced
from ffrtmp_ray.media.plan.payloads import EncodePayload, InputFile, PlanPayload
from ffrtmp_ray.media.plan.rates import durations_of, last_needed, offsets_of, rates_of
from ffrtmp_ray.media.probe.source import Source, VideoStream
from ffrtmp_ray.media.timing import nearest, timescale
from ffrtmp_ray.storage.origin import Stamp


def encode_name(chunk: int) -> str:
    return f"encode{chunk}"


def whole_picture(video: VideoStream, outputs: tuple[OutputWork, ...]) -> VideoWork:
    """What is to be done where nothing is left out."""
    depth = bit_depth_of(video)
    return VideoWork(
        stream=video.index,
        frame_rate=_mean_rate(video),
        timescale=timescale(video.time_base),
        outputs=cascade(outputs, (video.shown_width, video.shown_height), depth),
        bit_depth=depth,
        color=video.color,
        light=video.light if video.hdr else None,
        rgb=video.rgb,
        interlaced=video.interlaced,
        form=_form(video) if video.interlaced else None,
        regular=video.regular,
    )


def encode_payloads(
    work: PlanPayload,
    source: Source,
    file: InputFile,
    chunks: Sequence[Chunk],
    outputs: tuple[OutputWork, ...],
    starts: Sequence[int] = (),
) -> list[EncodePayload]:
    """What is to be done for each chunk of `file`, in which `source` was found; `starts` are the
    times of the segments of a package."""
    if not outputs:
        return []
    video, ticks = source.video, timescale(source.video.time_base)
    whole = _drawn_on(whole_picture(video, outputs), work, video)
    if len(chunks) == 1:
        whole = whole.model_copy(update={"keyframes": forced(starts, 0, None)})
        return [_in_one_piece(work, whole, video, chunks[0], file)]
    offsets, rates = offsets_of(video, chunks), rates_of(outputs)
    ends = [*(Fraction(offset, ticks) for offset in offsets[1:]), video.end - video.first]
    lengths = [end - Fraction(offset, ticks) for offset, end in zip(offsets, ends, strict=True)]
    rated = (durations_of(video, chunks, output) or () for output in outputs)
    shortest = min(chain(lengths, *rated))
    payloads = []
    for number, (chunk, offset, length) in enumerate(zip(chunks, offsets, lengths, strict=True)):
        keyframes = forced(starts, offset, nearest(ends[number] * ticks))
        cut = part_of(video, chunk, offset).model_copy(update={"shortest": shortest})
        if number + 1 < len(chunks):
            cut = cut.model_copy(update=_border(video, offset, offsets[number + 1], rates))
        part = whole.model_copy(update={"chunk": cut, "keyframes": keyframes})
        each = _payload(part, video, chunk, file, length)
        payloads.append(each.model_copy(update={"plan": work, "verify": work.verify}))
    return payloads


def _drawn_on(whole: VideoWork, work: PlanPayload, video: VideoStream) -> VideoWork:
    """What lies over the picture has its place by the size of the first frame."""
    if work.mark is None and work.burned is None:
        return whole
    drawn = {"mark": work.mark, "burned": work.burned, "form": _form(video)}
    return whole.model_copy(update=drawn)


def _border(
    video: VideoStream, offset: int, following: int, rates: frozenset[Fraction]
) -> dict[str, int | None]:
    """What a chunk that begins at `offset` is told of the one that follows at `following`."""
    until = last_needed(video, following, rates) if rates else None
    return {"length": following - offset, "until_pts": until}


def _in_one_piece(
    work: PlanPayload, whole: VideoWork, video: VideoStream, chunk: Chunk, file: InputFile
) -> EncodePayload:
    """What is sought may turn out not to be exact; then the plan is made anew, without."""
    if video.trimmed:
        whole = whole.model_copy(update={"chunk": part_of(video, chunk, 0)})
    payload = _payload(whole, video, chunk, file, video.end - video.first)
    again = None if chunk.seek is None else work
    return payload.model_copy(update={"plan": again, "verify": work.verify})


def encode_task(name: str, needs: Needs, payload: EncodePayload) -> NewTask:
    return NewTask(
        name=name,
        kind="encode",
        needs=needs,
        payload=payload.model_dump(mode="json"),
        weight=float(payload.duration),
    )


def input_file(place: str, stamp: Stamp, source: Source) -> InputFile:
    """The input that is at `place`, by which every worker opens it.

    Its packets say what is decoded; the rest, how ffmpeg reads and turns it.
    """
    video = source.video
    read_as = (source.container, video.codec, video.time_base, video.rotation, video.pixel_format)
    return InputFile(
        place=place,
        bytes=stamp.bytes,
        version=stamp.version,
        fingerprint=" ".join(map(str, (video.fingerprint, *read_as))),
    )


def part_of(video: VideoStream, chunk: Chunk, offset: int) -> ChunkWork:
    """A chunk as an encode is told of it; `offset` as there."""
    return ChunkWork(
        time_base=video.time_base,
        seek_seconds=chunk.seek,
        first_pts=nearest(video.first / video.time_base),
        start_pts=chunk.start_pts,
        end_pts=chunk.end_pts,
        offset=offset,
    )


def _payload(
    work: VideoWork, video: VideoStream, chunk: Chunk, file: InputFile, duration: Fraction
) -> EncodePayload:
    return EncodePayload(
        input=file,
        video=work,
        start=chunk.start,
        frames=chunk.frames,
        countable=video.countable,
        span=chunk.last_frame - chunk.start,
        duration=duration,
    )


def _mean_rate(video: VideoStream) -> Fraction:
    """Frames a second by count: what a container claims is often wrong (1000 in some MKV)."""
    length = video.end - video.first
    return video.frames / length if length else video.average_rate or Fraction(25)


def _form(video: VideoStream) -> Form:
    return Form(width=video.shown_width, height=video.shown_height, pixels=video.pixel_format)


def bit_depth_of(video: VideoStream) -> Literal[8, 10]:
    """Of what is encoded."""
    return 10 if video.bit_depth > 8 or video.hdr else 8
