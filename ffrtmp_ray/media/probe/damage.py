"""Decodes a part of a file's picture, and counts what a decoder had to make up.

Runs in the child process.
"""

from __future__ import annotations

from fractions import Fraction

import av
import av.logging
from av.container import InputContainer
from av.video.stream import VideoStream

from ffrtmp_ray.media.inputs import name_of
from ffrtmp_ray.media.probe.open import decoded, opened, picture_of, read_only
from ffrtmp_ray.media.probe.source import Damage

_SILENT = ("hevc", "vvc")
"""Decoders that leave what is missing as it was in memory, and tell of no error. What the demuxer
doubts of their packets is believed, but before a keyframe: where recordings were put one after
another, it doubts the last packet of each, which is whole."""


def damage(address: str, seek: str | None, start: int | None, end: int | None) -> Damage:
    """Look at what is needed for the frames from tick `start` on and before tick `end` of the
    picture's time base, read from `seek` on, which is seconds as a fraction. None is the beginning,
    and the end.

    What a decoder lacks of frames before the keyframe that is needed, since it began to read there,
    does not count. Raises Refusal when the file cannot be opened or has no picture.
    """
    with opened(address) as container:
        stream = picture_of(container, name_of(address))
        read_only(stream, container)
        stream.codec_context.thread_count = 1  # so that an error is told with its own packet
        if seek is not None:
            container.seek(int(Fraction(seek) * av.time_base))
        before = av.logging.get_level()
        av.logging.set_level(av.logging.ERROR)
        try:
            return Damage(packets=_damaged(container, stream, start, end))
        finally:
            av.logging.set_level(before)


def _damaged(
    container: InputContainer, stream: VideoStream, start: int | None, end: int | None
) -> int:
    """Packets. Those that are shown before the keyframe that they follow need what is before it,
    and nothing needs them; nor does anything need the last ones of a file that was cut off."""
    found, key, doubted, trailing = 0, None, False, 0
    silent = stream.codec_context.codec.canonical_name in _SILENT
    with av.logging.Capture() as told:
        for packet in container.demux(stream):
            if end is not None and packet.dts is not None and packet.dts >= end:
                break
            pts = packet.pts
            found += doubted and not packet.is_keyframe
            if packet.is_keyframe and pts is not None and _is_needed(pts, start, key):
                found, key = 0, pts
            frames = decoded(packet)
            bad = frames is None or bool(told) or any(frame.is_corrupt for frame in frames)
            needed = key is None or pts is None or pts >= key
            found += bad and needed
            if packet.size:
                trailing = trailing + needed if frames is None else 0
            doubted = silent and needed and packet.is_corrupt and not bad
            told.clear()
        else:
            found -= trailing
    return found


def _is_needed(pts: int, start: int | None, before: int | None) -> bool:
    """Whether a keyframe is one from which frames from `start` on can be decoded; `before` is such
    a one before it."""
    return before is None if start is None else pts <= start
