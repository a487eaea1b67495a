"""Decodes a file's picture, all of it or samples, and counts what comes out.

Runs in the child process.
"""

from __future__ import annotations

from collections.abc import Iterable

from av.container import InputContainer
from av.video.stream import VideoStream

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.inputs import name_of
from ffrtmp_ray.media.probe.open import (
    Refusal,
    decoded,
    opened,
    packets_of,
    picture_of,
    read_only,
    time_base_of,
)
from ffrtmp_ray.media.probe.source import Decoded, FrameCount

SAMPLE_FRAMES = 24
"""Frames decoded at each sampled place: about a second."""


def count(address: str, start: int | None, end: int | None) -> FrameCount:
    """Decode the picture and count its frames, those from tick `start` on and before tick `end`
    of its time base; None is the beginning, and the end.

    It decodes from the beginning to the end, whatever is counted, as ffmpeg does.

    Raises Refusal when nothing of it can be decoded.
    """
    with opened(address) as container:
        stream = picture_of(container, name_of(address))
        read_only(stream, container)
        # more would be faster, but with them a damaged frame takes good ones along, or is not told
        stream.codec_context.thread_count = 1
        times: list[int] = []
        frames = damaged = trailing = 0
        for packet in packets_of(container, stream):
            shown = decoded(packet)
            if shown is None:
                bad = _lies_within(packet.pts, start, end)
                damaged, trailing = damaged + bad, trailing + bad
                continue
            if packet.size:
                trailing = 0
            counted = [frame for frame in shown if _lies_within(frame.pts, start, end)]
            frames += len(counted)
            times.extend(frame.pts for frame in counted if frame.pts is not None)
        if not frames:
            raise Refusal(
                FailureKind.BAD_INPUT,
                f"the video of {name_of(address)} is damaged: no frame decodes",
            )
        time_base = time_base_of(stream)
        return FrameCount(
            frames=frames,
            first=min(times, default=0) * time_base,
            last=max(times, default=0) * time_base,
            damaged=damaged,
            trailing=trailing,
        )


def _lies_within(pts: int | None, start: int | None, end: int | None) -> bool:
    """Whether a time is in that span; one that is not known may be."""
    if pts is None:
        return True
    return (start is None or pts >= start) and (end is None or pts < end)


def sample(address: str, fractions: Iterable[float]) -> Decoded:
    """Decode about a second of the picture at each of some places, given as 0 (start) to 1, from
    the keyframe before it on. What several places share, as in a short file, is decoded once.

    Raises Refusal when the file cannot be opened or has no picture.
    """
    frames = damaged = 0
    begun: set[int] = set()
    with opened(address) as container:
        stream = picture_of(container, name_of(address))
        start = container.start_time or 0
        for fraction in fractions:
            if container.duration:
                container.seek(start + int(fraction * container.duration))
            good, bad = _decode_some(container, stream, begun)
            frames += good
            damaged += bad
    return Decoded(frames=frames, damaged=damaged)


def _decode_some(
    container: InputContainer, stream: VideoStream, begun: set[int]
) -> tuple[int, int]:
    """Frames and failed packets from here on, until there are SAMPLE_FRAMES of them; none where
    that has `begun` before, by the time of its first packet, which is added."""
    good = bad = 0
    for number, packet in enumerate(packets_of(container, stream)):
        if number == 0 and packet.pts is not None:
            if packet.pts in begun:
                break
            begun.add(packet.pts)
        frames = decoded(packet)
        if frames is None:
            bad += 1
        else:
            corrupt = sum(frame.is_corrupt for frame in frames)
            good, bad = good + len(frames) - corrupt, bad + corrupt
        if good + bad >= SAMPLE_FRAMES:
            break
    return good, bad
