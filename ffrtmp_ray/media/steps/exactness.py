"""Does an encoded file have the frames that it should, at their times? Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ffrtmp_ray.media.encode.rate import frame_rate
from ffrtmp_ray.media.probe.source import VideoStream


@dataclass(frozen=True, slots=True)
class Expected:
    """Of a chunk, in every rendition that keeps the source's frames."""

    frames: int
    span: Fraction
    """Seconds from the first frame to the last."""


def difference(
    expected: Expected, found: VideoStream, *, timescale: int, fps: float | None
) -> str | None:
    """What is wrong, as a clause; None when the file is exact.

    `fps` is the rendition's own rate: such a one has its own frames, and is right when they fill
    the span, one more or less at its end. All others have the source's frames, each within one
    tick of `timescale` (the source's time and the first frame's are each rounded by half of one).
    """
    if fps is None:
        frames, few = expected.frames, 0
        near = Fraction(1, timescale)
    else:
        rate = frame_rate(fps)
        frames, few = round(expected.span * rate) + 1, 1
        near = 1 / rate + Fraction(1, timescale)
    if abs(found.frames - frames) > few:
        return f"{found.frames} frames were made of {frames}"
    if abs(found.first) > near:
        return f"the first frame is {float(found.first):.6f} s late"
    span = found.last - found.first
    if abs(span - expected.span) > near:
        return f"the frames span {float(span):.6f} s of {float(expected.span):.6f} s"
    return None
