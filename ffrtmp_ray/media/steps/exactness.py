"""Does an encoded file have the frames that it should, at their times? Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from ffrtmp_ray.media.encode.rate import frame_rate, rated_span
from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.plan.payloads import EncodePayload
from ffrtmp_ray.media.probe.source import VideoStream


@dataclass(frozen=True, slots=True)
class Expected:
    """Of a chunk, by the source's frames."""

    frames: int
    span: Fraction
    """Seconds from the first frame to the last."""
    tail: Fraction | None = Fraction(0)
    """Seconds for which the last frame is shown; None where the frames are those of the rendition
    itself, and not the source's."""
    slack: Fraction = Fraction(0)
    """Seconds by which the last frame may be early or late."""


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
            _of_output(work, output, expected),
            made[name],
            timescale=work.video.timescale,
            fps=output.rendition.fps,
        )
        if wrong is not None:
            return f"{name}: {wrong}"
    return None


def difference(
    expected: Expected, found: VideoStream, *, timescale: int, fps: float | None
) -> str | None:
    """What is wrong, as a clause; None when the file is exact.

    `fps` is the rendition's own rate: such a one has its own frames, and is right when it has those
    that are expected; where these are not known, since the picture ends there, when they fill the
    time from the first frame to the last, up to that one's end. All others have the source's
    frames, each within one tick of `timescale` (the source's time and the first frame's are each
    rounded by half of one).
    """
    near = Fraction(1, timescale)
    fewest = most = expected.frames
    shortest = longest = expected.span
    if fps is not None and expected.tail is not None:
        rate = frame_rate(fps)
        near += 1 / rate
        # some files say of their last frame that it is shown for a millisecond; ffmpeg does not
        longest += max(expected.tail, expected.span / max(expected.frames - 1, 1))
        fewest, most = max(1, floor(shortest * rate)), ceil(longest * rate) + 1
    if not fewest <= found.frames <= most:
        return f"{found.frames} frames were made of {expected.frames}"
    if abs(found.first) > near:
        return f"the first frame is {float(found.first):.6f} s late"
    span = found.last - found.first
    near += expected.slack
    if not shortest - near <= span <= longest + near:
        return f"the frames span {float(span):.6f} s of {float(expected.span):.6f} s"
    return None


def _of_output(work: EncodePayload, output: OutputWork, expected: Expected) -> Expected:
    """The same, but that an output of its own rate has frames of its own: known ones where a chunk
    follows, else those that follow from the source's, after its own first one."""
    fps, chunk, scale = output.rendition.fps, work.video.chunk, work.video.timescale
    if fps is None or chunk is None:
        return expected
    rate = frame_rate(fps)
    span = rated_span(rate, scale, chunk.offset, chunk.length)
    if span.end is None:
        later = Fraction(span.offset - chunk.offset, scale)
        return replace(expected, span=max(expected.span - later, Fraction(0)))
    frames = span.end - span.first
    return Expected(frames, (frames - 1) / rate, tail=None)


def digest_of(ticks: Sequence[int]) -> str:
    """SHA-256, in hex, of when frames are shown, counted from the first."""
    text = ",".join(str(tick - ticks[0]) for tick in ticks)
    return hashlib.sha256(text.encode()).hexdigest()
