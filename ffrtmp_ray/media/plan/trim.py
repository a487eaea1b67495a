"""The part of a source that a job takes: the source as if there were no more of it. Pure.

Whatever is planned afterwards (chunks, sound, checks) sees the part only.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.probe.source import FrameCount, Source, VideoStream
from ffrtmp_ray.media.spec.base import exact
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.timing import nearest

NEAR = Fraction(1, 2_000_000)
"""Seconds by which a time may differ from a frame's and still mean that frame: players and probes
show times rounded to the microsecond."""


@dataclass(frozen=True, slots=True)
class TickSpan:
    """In ticks of the source: frames at `start` and later, and before `end`; None is the end."""

    start: int
    end: int | None


def span_of(trim: Trim, video: VideoStream) -> TickSpan:
    """Which part of a picture a trim means. Raises InvalidRequest when it starts behind its end."""
    length = video.end - video.first
    if exact(trim.start) >= length:
        raise InvalidRequest(
            f"the trim starts at {trim.start:g} s, and the picture lasts {float(length):.6f} s",
            where="trim.start",
            remedy="start earlier",
        )
    start = _tick(trim.start, video)
    if trim.duration is None:
        return TickSpan(start, None)
    end = exact(trim.start) + exact(trim.duration)
    return TickSpan(start, None if end > length else _tick(end, video))


def overrun(trim: Trim, video: VideoStream) -> str | None:
    """What to tell the user when the picture ends before the trim."""
    length = video.end - video.first
    if trim.duration is None or exact(trim.start) + exact(trim.duration) <= length + NEAR:
        return None
    return (
        f"the trim asks for {trim.duration:g} s from {trim.start:g} s on, and the picture ends "
        f"at {float(length):.6f} s"
    )


def trimmed(source: Source, span: TickSpan) -> Source:
    """A source whose `ticks` are known without what is outside the span.

    The last frame is shown until the next would have been, and the sound lasts as long. Raises
    InvalidRequest when no frame is within.
    """
    video = source.video
    begin = bisect_left(video.ticks, span.start)
    end = len(video.ticks) if span.end is None else bisect_left(video.ticks, span.end)
    if begin >= end:
        raise _nothing()
    tick = video.time_base
    part = {
        "frames": end - begin,
        "first": video.ticks[begin] * tick,
        "last": video.ticks[end - 1] * tick,
        "end": video.ticks[end] * tick if end < len(video.ticks) else video.end,
        "start_pts": video.ticks[begin] if begin else None,
        "end_pts": video.ticks[end] if end < len(video.ticks) else None,
        "ticks": video.ticks[begin:end],
    }
    return _with_video(source, video.model_copy(update=part))


def trimmed_by_count(source: Source, span: TickSpan, count: FrameCount) -> Source:
    """A source whose `ticks` are not known: `count` is what decoding has shown of the span."""
    video = source.video
    if not count.frames:
        raise _nothing()
    part = {
        "frames": count.frames,
        "first": count.first,
        "last": count.last,
        "end": count.last + (video.end - video.last),
        "start_pts": nearest(count.first / video.time_base),
        "end_pts": span.end,
    }
    return _with_video(source, video.model_copy(update=part))


def _tick(time: float | Fraction, video: VideoStream) -> int:
    """The first one that is not before a time, which counts from the first frame."""
    seconds = time if isinstance(time, Fraction) else exact(time)
    return math.ceil((video.first + seconds - NEAR) / video.time_base)


def _with_video(source: Source, video: VideoStream) -> Source:
    sounds = tuple(sound for sound in source.audio if sound.is_heard_with(video))
    return source.model_copy(update={"video": video, "audio": sounds})


def _nothing() -> InvalidRequest:
    return InvalidRequest(
        "no frame of the picture is shown within the trim",
        where="trim.duration",
        remedy="take a longer part",
    )
