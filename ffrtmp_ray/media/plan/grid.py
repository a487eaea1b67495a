"""At which frames the segments of a package begin: one list for all its renditions. Pure.

Ticks count from the picture's first frame, in the outputs' `timescale`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.spec.packaging import HlsSegments, Packaging
from ffrtmp_ray.media.timing import nearest, timescale

MOST_FORCED = 9000
"""Times that one process is told of: they must fit in one argument of its command line, which has
128 KiB in Linux (execve(2))."""


def output_ticks(video: VideoStream) -> Sequence[int]:
    """When each frame is shown, as the outputs round it; empty where that is not known."""
    scale = video.time_base * timescale(video.time_base)
    first = video.ticks[0] if video.ticks else 0
    if scale.denominator == 1:
        return [(tick - first) * scale.numerator for tick in video.ticks]
    return [nearest((tick - first) * scale) for tick in video.ticks]


def segment_starts(video: VideoStream, packaging: Packaging) -> tuple[int, ...]:
    """The times of the first frames at or after each multiple of the segment's length, rising.

    Where the frames' times are not known, the multiples themselves. Raises InvalidRequest for more
    transport streams than ffmpeg can be told of.
    """
    starts = _starts(video, packaging)
    if packaging.hls is HlsSegments.TS and len(starts) > MOST_FORCED:
        raise _too_many(len(starts), "transport streams")
    return starts


def _starts(video: VideoStream, packaging: Packaging) -> tuple[int, ...]:
    every = packaging.segment * timescale(video.time_base)
    ticks = output_ticks(video)
    if not ticks:
        length = (video.end - video.first) * timescale(video.time_base)
        return tuple(nearest(k * every) for k in range(max(1, -(-length // every))))
    starts = []
    place = 0
    while place < len(ticks):
        starts.append(ticks[place])
        place = bisect_left(ticks, (ticks[place] // every + 1) * every, place)
    return tuple(starts)


def first_from(ticks: Sequence[int], planned: Iterable[int]) -> tuple[int, ...]:
    """The first of a rendition's own times (rising) at or after each planned one, each once.

    A rendition that keeps the source's frames has the planned ones; one of another rate has those
    of its frames that follow them.
    """
    places = (bisect_left(ticks, each) for each in planned)
    return tuple(dict.fromkeys(ticks[place] for place in places if place < len(ticks)))


def source_ticks(video: VideoStream, starts: Sequence[int]) -> tuple[int, ...]:
    """The frames at `starts` by the source's own clock; empty where frames have no known times."""
    ticks = output_ticks(video)
    return tuple(video.ticks[bisect_left(ticks, start)] for start in starts) if ticks else ()


def forced(starts: Sequence[int], begin: int, end: int | None) -> tuple[int, ...]:
    """Those of `starts` that lie within a chunk, counted from its `begin`; its end is None where
    nothing follows. Raises InvalidRequest where they are more than a process can be told."""
    last = len(starts) if end is None else bisect_left(starts, end)
    inside = tuple(start - begin for start in starts[bisect_left(starts, begin) : last])
    if len(inside) > MOST_FORCED:
        raise _too_many(len(inside), "a picture that is encoded in one piece")
    return inside


def _too_many(segments: int, what: str) -> InvalidRequest:
    return InvalidRequest(
        f"{segments} segments are too many for {what}",
        where="ladder.packaging.segment_seconds",
        remedy=f"make them longer: it can have {MOST_FORCED}",
    )
