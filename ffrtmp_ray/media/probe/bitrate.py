"""Which bitrate the picture of a file keeps. Runs in the child process."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction

from av.container import InputContainer
from av.video.stream import VideoStream

from ffrtmp_ray.media.bucket import Bucket, highest, share_kept
from ffrtmp_ray.media.inputs import name_of
from ffrtmp_ray.media.probe.open import opened, packets_of, picture_of, time_base_of
from ffrtmp_ray.media.probe.source import KeptShare, NeededBuffer


def needed_buffer(address: str, rate: int) -> NeededBuffer:
    """By the sizes of its packets, at `rate` bits per second; decodes nothing."""
    with opened(address) as container:
        stream = picture_of(container, name_of(address))
        return NeededBuffer(bits=math.ceil(highest(_pictures(container, stream), rate)))


def kept_share(address: str, bound: Mapping[str, int]) -> KeptShare:
    """For which part of its bits `bound`, the fields of a `Bucket`, has room; decodes nothing."""
    with opened(address) as container:
        stream = picture_of(container, name_of(address))
        pictures = list(_pictures(container, stream))
    return KeptShare(share=share_kept(pictures, Bucket(**bound)))


def _pictures(container: InputContainer, stream: VideoStream) -> Iterator[tuple[Fraction, int]]:
    """Decoding times and bits. A packet without a time is decoded with the one before it."""
    tick, time = time_base_of(stream), Fraction(0)
    for packet in packets_of(container, stream):
        if packet.dts is not None:
            time = packet.dts * tick
        if packet.size:
            yield time, packet.size * 8
