"""Does an encoded file have the frames that it should, at their times? Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from ffrtmp_ray.media.encode.rate import frame_rate
from ffrtmp_ray.media.plan.payloads import EncodePayload
from ffrtmp_ray.media.probe.source import VideoStream


@dataclass(frozen=True, slots=True)
class Expected:
    """Of a chunk, in every rendition that keeps the source's frames."""

    frames: int
    span: Fraction
    """Seconds from the first frame to the last."""
    tail: Fraction = Fraction(0)
    """Seconds for which the last frame is shown."""


def expected_of(work: EncodePayload) -> Expected:
    """By the count of packets."""
    return Expected(work.frames, work.span, work.duration - work.span)


def fault_of(
    work: EncodePayload, expected: Expected, made: Mapping[str, VideoStream]
) -> str | None:
    """What is wrong with the first bad one of those renditions that are `made`; None when all are
    exact."""
    for output in work.video.outputs:
        name = output.rendition.name
        if name not in made:
            continue
        if work.plan is not None and not made[name].countable:
            return f"{name}: two frames are shown at the same time"
        wrong = difference(
            expected, made[name], timescale=work.video.timescale, fps=output.rendition.fps
        )
        if wrong is not None:
            return f"{name}: {wrong}"
    return None


def difference(
    expected: Expected, found: VideoStream, *, timescale: int, fps: float | None
) -> str | None:
    """What is wrong, as a clause; None when the file is exact.

    `fps` is the rendition's own rate: such a one has its own frames, and is right when they fill
    the time from the first frame to the last, up to that one's end. All others have the source's
    frames, each within one tick of `timescale` (the source's time and the first frame's are each
    rounded by half of one).
    """
    near = Fraction(1, timescale)
    fewest = most = expected.frames
    shortest = longest = expected.span
    if fps is not None:
        rate = frame_rate(fps)
        near += 1 / rate
        longest += expected.tail
        fewest, most = max(1, floor(shortest * rate)), ceil(longest * rate) + 1
    if not fewest <= found.frames <= most:
        return f"{found.frames} frames were made of {expected.frames}"
    if abs(found.first) > near:
        return f"the first frame is {float(found.first):.6f} s late"
    span = found.last - found.first
    if not shortest - near <= span <= longest + near:
        return f"the frames span {float(span):.6f} s of {float(expected.span):.6f} s"
    return None


def digest_of(ticks: Sequence[int]) -> str:
    """SHA-256, in hex, of when frames are shown, counted from the first."""
    text = ",".join(str(tick - ticks[0]) for tick in ticks)
    return hashlib.sha256(text.encode()).hexdigest()
