"""Which parts of a title stand for all of it. Pure."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction

from ffrtmp_ray.media.encode.work import ChunkWork
from ffrtmp_ray.media.plan.cuts import seek_to
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.timing import nearest, timescale

SAMPLE_SECONDS = Fraction(2)
MOST_SAMPLES = 10
ONE_IN = 4
"""At most this part of a title is sampled, where that leaves two samples."""


def samples_of(video: VideoStream) -> tuple[ChunkWork, ...]:
    """Samples at equal distances, the first and the last half as far from the title's ends; the
    title itself where it is no longer than two, or has no frame in any of them."""
    length = video.end - video.first
    if length <= 2 * SAMPLE_SECONDS:
        return (_sample(video, None, None),)
    number = min(max(int(length / (SAMPLE_SECONDS * ONE_IN)), 2), MOST_SAMPLES)
    middles = (length * (2 * place + 1) / (2 * number) for place in range(number))
    starts = (video.first + middle - SAMPLE_SECONDS / 2 for middle in middles)
    spans = [(start, start + SAMPLE_SECONDS) for start in starts]
    found = tuple(_sample(video, *span) for span in spans if _has_frames(video, *span))
    return found or (_sample(video, None, None),)


def _has_frames(video: VideoStream, start: Fraction, end: Fraction) -> bool:
    """Taken to be so where nobody knows when frames are shown."""
    ticks = video.ticks
    bounds = (bisect_left(ticks, round(time / video.time_base)) for time in (start, end))
    return not ticks or len(set(bounds)) == 2


def _sample(video: VideoStream, start: Fraction | None, end: Fraction | None) -> ChunkWork:
    """Bounds need not be at frames: what is between them is the same for whoever reads it."""
    first_pts = round(video.first / video.time_base)
    start_pts = video.start_pts if start is None else round(start / video.time_base)
    seek = None if start_pts is None else seek_to(video, start_pts)
    from_first = 0 if start_pts is None else start_pts - first_pts
    return ChunkWork(
        time_base=video.time_base,
        seek_seconds=None if seek is None else seek * video.time_base,
        first_pts=first_pts,
        start_pts=start_pts,
        end_pts=video.end_pts if end is None else round(end / video.time_base),
        offset=max(nearest(from_first * video.time_base * timescale(video.time_base)), 0),
    )
