"""What encoding a picture costs in CPU time, roughly: enough to size chunks by. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.spec import Codec, Effort

DECODE_SECONDS = Fraction(22, 10**10)
"""CPU seconds to decode one pixel of H.264."""

_ENCODE: Mapping[Codec, Mapping[Effort, int]] = {
    Codec.H264: {Effort.FAST: 5, Effort.BALANCED: 13, Effort.THOROUGH: 20},
    Codec.HEVC: {Effort.FAST: 15, Effort.BALANCED: 23, Effort.THOROUGH: 58},
    Codec.AV1: {Effort.FAST: 9, Effort.BALANCED: 27, Effort.THOROUGH: 56},
    Codec.VP9: {Effort.FAST: 49, Effort.BALANCED: 57, Effort.THOROUGH: 100},
}
"""A pixel's encoding by its decoding. All were measured with one thread of FFmpeg 9.0.2 on 240
frames of Big Buck Bunny, 480x360, but for VP9's thorough, which is a guess; other pictures may
differ by a factor of two."""


def cpu_seconds(video: VideoStream, outputs: Iterable[OutputWork]) -> Fraction:
    """CPU seconds to make `outputs` of the whole picture."""
    return encode_pixels(video, outputs) * video.frames * DECODE_SECONDS


def encode_pixels(video: VideoStream, outputs: Iterable[OutputWork]) -> int:
    """What one frame costs to decode and to encode in all `outputs`, in decoded pixels."""
    decoded = video.width * video.height
    encoded = sum(
        output.width * output.height * _ENCODE[output.rendition.codec][output.rendition.effort]
        for output in outputs
    )
    return decoded + encoded


def decode_share(video: VideoStream, outputs: Iterable[OutputWork]) -> Fraction:
    """Of that time, the part that decoding takes."""
    return video.width * video.height * video.frames * DECODE_SECONDS / cpu_seconds(video, outputs)
