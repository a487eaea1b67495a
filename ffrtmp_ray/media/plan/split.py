"""Into how many chunks a job's picture is cut, and whether it can be. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.encoders import encoder_for
from ffrtmp_ray.media.plan.cost import cpu_seconds, decode_share
from ffrtmp_ray.media.plan.cuts import Chunk, chunks_of, sought, whole
from ffrtmp_ray.media.plan.grid import segment_starts, source_ticks
from ffrtmp_ray.media.plan.lengths import Limits, lengths_for, tapering_lengths
from ffrtmp_ray.media.plan.needs import gpu_makes
from ffrtmp_ray.media.plan.payloads import PlanPayload
from ffrtmp_ray.media.plan.rates import each_has_a_frame, rates_of
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.spec import Codec, GpuUse

SHORTEST_SECONDS = Fraction(10)
SHORTEST_FRAMES = 250
"""Of a chunk: each border costs a keyframe and what the encoder had learned. Against the uncut
encode, x264's files grew by 0.4 % with chunks of 20 s, 1.4 % with 10 s, and 3.4 % with 4 s."""
SHORTEST_WORK = Fraction(2)
"""CPU seconds: starting a process and looking at what it made take a third of a second."""
REPEATED_LIMIT = Fraction(4, 100)
"""Part of a job's CPU time that may go into decoding the same frames again."""
_LONGER = Fraction(3, 2)
_AV1_GOPS = Fraction(5, 2)
"""Chunks of AV1 that have so many are cut where all encodes end together: a keyframe more among
twenty seconds and more makes a file larger by less than 2 %."""


@dataclass(frozen=True, slots=True)
class Split:
    chunks: tuple[Chunk, ...]
    warning: str | None = None


def split(
    work: PlanPayload, video: VideoStream, outputs: Sequence[OutputWork], farm_cpus: int
) -> Split:
    """The chunks of a job on a farm that has `farm_cpus` CPUs.

    Their number is what the user wants (`work.chunks`), else what fills the farm, and less where
    too much would be decoded twice. It is one where the picture cannot be cut exactly, which is
    said, and none where nothing is encoded.
    """
    length = video.end - video.first
    if not outputs:
        return Split(())
    if work.chunks is not None:
        lengths = tapering_lengths(length, work.chunks, farm_cpus)
    elif work.gpu is GpuUse.NEVER or not gpu_makes(outputs):
        lengths = lengths_for(length, farm_cpus, _limits(work, video, outputs))
    else:
        lengths = (length,)  # how many GPUs are free is not known, and one is fast
    in_one_piece = sought(video) if work.inexact is None else whole(video)
    if len(lengths) == 1:
        return Split(in_one_piece)
    if reason := next(_hindrances(work, video, outputs), None):
        return Split(in_one_piece, f"the picture is encoded in one piece: {reason}")
    if work.chunks is not None:
        chunks = chunks_of(video, lengths, _grid(work, video), all_of_them=True)
    else:
        chunks = _affordable(work, video, outputs, farm_cpus)
    if not each_has_a_frame(video, chunks, rates_of(outputs)):
        reason = "a chunk would have no frame of a rendition that has a frame rate of its own"
        return Split(in_one_piece, f"the picture is encoded in one piece: {reason}")
    return Split(chunks)


def cpus_of_each(chunks: Sequence[Chunk], farm_cpus: int, most: int) -> int:
    """CPUs that one encode takes at best, when all of a job's run at the same time."""
    return most if len(chunks) < 2 else max(1, min(most, farm_cpus // len(chunks)))


def _hindrances(
    work: PlanPayload, video: VideoStream, outputs: Sequence[OutputWork]
) -> Iterator[str]:
    if not video.ticks:
        yield "not all of its frames have a time of their own"
    if video.regular is not None:
        yield "its packets do not say when its frames are shown"
    if work.burned is not None and work.burned.makes_room:
        yield "the subtitles that are drawn on it make room for each other"
    if work.gpu is GpuUse.PREFER and gpu_makes(outputs):
        yield "what GPUs and CPUs make cannot be joined, and either may get it"


def _grid(work: PlanPayload, video: VideoStream) -> tuple[int, ...] | None:
    """Where a package may be cut: where its segments begin. None: anywhere."""
    packaging = work.ladder.packaging
    if packaging is None:
        return None
    return source_ticks(video, segment_starts(video, packaging))


def _av1_keyframes(video: VideoStream, outputs: Sequence[OutputWork]) -> tuple[int, ...] | None:
    """Where SVT-AV1 has keyframes anyhow, as it makes none for new scenes: chunks that begin there
    cost nothing but what it had learned. None where not all outputs are of it, at these frames."""
    if not _all_av1(outputs) or any(output.rendition.fps for output in outputs):
        return None
    return video.ticks[:: _av1_gop(video)]


def _cuts(
    work: PlanPayload,
    video: VideoStream,
    outputs: Sequence[OutputWork],
    lengths: Sequence[Fraction],
) -> tuple[Chunk, ...]:
    grid = _grid(work, video)
    if grid is None and min(lengths) < _AV1_GOPS * _av1_gop_seconds(video):
        grid = _av1_keyframes(video, outputs)
    return chunks_of(video, lengths, grid)


def _all_av1(outputs: Sequence[OutputWork]) -> bool:
    return all(output.rendition.codec is Codec.AV1 for output in outputs)


def _av1_gop(video: VideoStream) -> int:
    """Frames."""
    rate = video.average_rate or video.frames / (video.end - video.first)
    return encoder_for(Codec.AV1, gpu=False).gop(rate)


def _av1_gop_seconds(video: VideoStream) -> Fraction:
    return _av1_gop(video) * (video.end - video.first) / video.frames


def _limits(work: PlanPayload, video: VideoStream, outputs: Sequence[OutputWork]) -> Limits:
    length = video.end - video.first
    if _all_av1(outputs):
        least = _av1_gop_seconds(video)
    else:
        least = max(SHORTEST_SECONDS, SHORTEST_FRAMES * length / video.frames)
    shortest = max(least, SHORTEST_WORK * length / cpu_seconds(video, outputs))
    return Limits(shortest, max(shortest, Fraction(work.chunk_seconds)))


def _affordable(
    work: PlanPayload, video: VideoStream, outputs: Sequence[OutputWork], farm_cpus: int
) -> tuple[Chunk, ...]:
    """Chunks long enough that what is decoded again stays below `REPEATED_LIMIT`."""
    limits, length = _limits(work, video, outputs), video.end - video.first
    share = decode_share(video, outputs) / length
    while True:
        chunks = _cuts(work, video, outputs, lengths_for(length, farm_cpus, limits))
        repeated = sum(chunk.repeated for chunk in chunks)
        if len(chunks) == 1 or repeated * share <= REPEATED_LIMIT:
            return chunks
        shortest = limits.shortest * _LONGER
        limits = Limits(shortest, max(limits.longest * _LONGER, shortest))
