"""Where the timeline of a source is cut into chunks: at frames, by the times they are shown. Pure.

A chunk's frames are those of the source from its first tick up to the next chunk's.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, pairwise

from ffrtmp_ray.media.probe.source import VideoStream

NEAR = Fraction(1, 5)
"""A cut goes to a keyframe of the source that is no farther away than this part of the chunk's
length: what follows it needs nothing from before."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span that one encode makes, on the source's own clock. Times in seconds."""

    number: int
    start: Fraction
    """The time of its first frame."""
    end: Fraction
    """The time of the next chunk's first frame, or the end of the picture."""
    frames: int
    """What it has by the count of packets; exact where `VideoStream.countable` says so."""
    last_frame: Fraction
    """The time of its last frame."""
    start_pts: int | None = None
    """`start` in ticks of the source; None where nothing is before it."""
    end_pts: int | None = None
    """`end` in ticks of the source; None where nothing is behind it."""
    seek: Fraction | None = None
    """The keyframe at which decoding begins; None is the beginning of the file."""
    repeated: Fraction = Fraction(0)
    """Seconds before `start` that must be decoded here, too."""


def whole(video: VideoStream) -> tuple[Chunk, ...]:
    """The picture as one chunk, read from the beginning of the file."""
    return (
        Chunk(
            number=0,
            start=video.first,
            end=video.end,
            frames=video.frames,
            last_frame=video.last,
            start_pts=video.start_pts,
            end_pts=video.end_pts,
        ),
    )


def sought(video: VideoStream) -> tuple[Chunk, ...]:
    """The picture as one chunk, read from close to its first frame where that can be sought."""
    if video.start_pts is None or not video.ticks:
        return whole(video)
    return (_chunk(video, 0, 0, len(video.ticks)),)


def frame_at(video: VideoStream, time: Fraction) -> Chunk:
    """The frame that is shown at a time, which counts from the first one; where the times of
    frames are not known, the first from then on, and all that follow."""
    tick = (video.first + time) / video.time_base
    if video.ticks:
        place = max(bisect_right(video.ticks, tick) - 1, 0)
        return _chunk(video, 0, place, place + 1)
    return replace(whole(video)[0], start_pts=math.ceil(tick))


def chunks_of(
    video: VideoStream,
    lengths: Sequence[Fraction],
    grid: Sequence[int] | None = None,
    *,
    all_of_them: bool = False,
) -> tuple[Chunk, ...]:
    """The picture in chunks of about `lengths` seconds; fewer where it has not enough frames, or
    shows one for longer than that, unless `all_of_them` are wanted.

    `video.ticks` must be known. `grid` has the frames at which it may be cut, in the source's
    ticks, rising; None allows all.
    """
    cuts = _cuts(video, lengths, grid)
    if all_of_them:
        cuts = _halved(video.ticks if grid is None else grid, cuts, len(lengths) - 1)
    if not cuts:
        return sought(video)
    bounds = (0, *(bisect_left(video.ticks, cut) for cut in cuts), len(video.ticks))
    spans = enumerate(pairwise(bounds))
    return tuple(_chunk(video, number, begin, end) for number, (begin, end) in spans)


def widened(video: VideoStream, chunk: Chunk) -> Chunk:
    """`chunk` with one frame more on each side where the picture has one."""
    begin = bisect_left(video.ticks, chunk.start / video.time_base)
    end = begin + chunk.frames
    wide = (max(begin - 1, 0), min(end + 1, len(video.ticks)))
    return chunk if wide == (begin, end) or not video.ticks else _chunk(video, chunk.number, *wide)


def _cuts(video: VideoStream, lengths: Sequence[Fraction], grid: Sequence[int] | None) -> list[int]:
    """The ticks of the first frames of all chunks but the first, rising."""
    cuts: list[int] = []
    for length, time in zip(lengths[:-1], accumulate(lengths[:-1]), strict=True):
        ideal, reach = (video.first + time) / video.time_base, NEAR * length / video.time_base
        if grid is None:
            cut = _near_keyframe(video, ideal, reach)
            if cut is None:
                cut = _first_from(video.ticks, ideal)
        else:
            cut = _on_grid(video, grid, ideal, reach)
        if cut is not None and cut > (cuts[-1] if cuts else video.ticks[0]):
            cuts.append(cut)
    return cuts


def _halved(allowed: Sequence[int], cuts: Sequence[int], number: int) -> list[int]:
    """So many cuts as long as there are allowed ones: each more halves the chunk that has most of
    those."""
    more = list(cuts)
    while len(more) < number:
        places = (0, *(bisect_left(allowed, cut) for cut in more), len(allowed))
        begin, end = max(pairwise(places), key=lambda span: span[1] - span[0])
        if end - begin < 2:
            break
        insort(more, allowed[(begin + end) // 2])
    return more


def _near_keyframe(video: VideoStream, ideal: Fraction, reach: Fraction) -> int | None:
    keys = video.keyframes
    near = keys[bisect_left(keys, ideal - reach) : bisect_right(keys, ideal + reach)]
    return min(near, key=lambda key: abs(key - ideal), default=None)


def _on_grid(
    video: VideoStream, grid: Sequence[int], ideal: Fraction, reach: Fraction
) -> int | None:
    """The one close by that needs least from before it, or the next one."""
    near = grid[bisect_left(grid, ideal - reach) : bisect_right(grid, ideal + reach)]
    if not near:
        return _first_from(grid, ideal)
    return min(near, key=lambda tick: (tick - _keyframe_before(video, tick), abs(tick - ideal)))


def _keyframe_before(video: VideoStream, tick: int) -> int:
    place = bisect_right(video.keyframes, tick)
    return video.keyframes[place - 1] if place else video.ticks[0]


def _first_from(ticks: Sequence[int], tick: Fraction) -> int | None:
    place = bisect_left(ticks, tick)
    return ticks[place] if place < len(ticks) else None


def _chunk(video: VideoStream, number: int, begin: int, end: int) -> Chunk:
    """The frames number `begin` up to before `end`, counted from 0."""
    ticks, tick = video.ticks, video.time_base
    start_pts = ticks[begin] if begin else video.start_pts
    start, key = ticks[begin], None if start_pts is None else seek_to(video, start_pts)
    end_pts = ticks[end] if end < len(ticks) else video.end_pts
    begun = min((ticks[0], *video.keyframes[:1])) if key is None else key
    return Chunk(
        number=number,
        start=start * tick,
        end=ticks[end] * tick if end < len(ticks) else video.end,
        frames=end - begin,
        last_frame=ticks[end - 1] * tick,
        start_pts=start_pts,
        end_pts=end_pts,
        seek=None if key is None else key * tick,
        repeated=(start - begun) * tick if begin else Fraction(0),
    )


def seek_to(video: VideoStream, start: int) -> int | None:
    """The keyframe at which decoding begins for the frame at `start`: the one that it needs where
    nothing can be lost by that, else the one before, since seeking to the very one loses frames in
    some containers, what follows it may refer to what is before, and deinterlacers look back. None
    where that is the first, which needs no seeking."""
    needed = bisect_right(video.keyframes, start) - 1
    place = needed if video.closed and not video.interlaced else needed - 1
    return video.keyframes[place] if place > 0 else None
