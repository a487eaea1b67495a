"""Renditions of a frame rate of their own, in chunks: what each needs of the source. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from ffrtmp_ray.media.encode.rate import first_from, frame_rate, rated_span, shown_from
from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.plan.cuts import Chunk
from ffrtmp_ray.media.plan.grid import output_ticks
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.timing import nearest, timescale


def rates_of(outputs: Sequence[OutputWork]) -> frozenset[Fraction]:
    """Frames a second of those that have a rate of their own."""
    asked = (output.rendition.fps for output in outputs)
    return frozenset(frame_rate(fps) for fps in asked if fps is not None)


def offsets_of(video: VideoStream, chunks: Sequence[Chunk]) -> list[int]:
    """From the picture's first frame to that of each chunk, in ticks of the outputs."""
    ticks = timescale(video.time_base)
    return [nearest((chunk.start - video.first) * ticks) for chunk in chunks]


def last_needed(video: VideoStream, end: int, rates: frozenset[Fraction]) -> int | None:
    """The frame of the source at which it is known what all frames of `rates` before `end` (in
    ticks of the outputs) show: the first that none of them may show. In ticks of the source; None
    where the picture ends before that."""
    ticks, scale = output_ticks(video), timescale(video.time_base)
    bounds = {rate: first_from(rate, scale, end) for rate in rates}
    for place in range(bisect_left(ticks, end), len(ticks)):
        if all(shown_from(rate, scale, ticks[place]) >= bounds[rate] for rate in rates):
            return video.ticks[place]
    return None


def durations_of(
    video: VideoStream, chunks: Sequence[Chunk], output: OutputWork
) -> tuple[Fraction, ...] | None:
    """Seconds of each chunk in an output that has a rate of its own; None where it has not."""
    if output.rendition.fps is None:
        return None
    rate, scale = frame_rate(output.rendition.fps), timescale(video.time_base)
    spans = (rated_span(rate, scale, offset, None) for offset in offsets_of(video, chunks))
    begins = [Fraction(span.offset, scale) for span in spans]
    return tuple(after - before for before, after in pairwise([*begins, video.end - video.first]))


def each_has_a_frame(
    video: VideoStream, chunks: Sequence[Chunk], rates: frozenset[Fraction]
) -> bool:
    """Whether each chunk has a frame of its own at each of `rates`, that of the last one for sure:
    how long the very last frame is shown, the source may not say."""
    scale = timescale(video.time_base)
    last = nearest((video.last - video.first) * scale)
    for rate in rates:
        firsts = [first_from(rate, scale, offset) for offset in offsets_of(video, chunks)]
        if any(begin >= end for begin, end in pairwise([*firsts, shown_from(rate, scale, last)])):
            return False
    return True
