"""Decodes a part of a file's picture, and counts what a decoder had to make up.

Runs in the child process.
"""

from __future__ import annotations

from fractions import Fraction

import av
import av.logging
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from ffrtmp_ray.media.inputs import name_of
from ffrtmp_ray.media.probe.open import decoded, opened, packets_of, picture_of, read_only
from ffrtmp_ray.media.probe.source import Damage

_SILENT = ("hevc", "vvc")
"""Decoders that leave what is missing as it was in memory, and tell of no error. What the demuxer
doubts of their packets is believed, but before a keyframe: where recordings were put one after
another, it doubts the last packet of each, which is whole."""
_LATE = 2
"""Packets between one that is doubted and the keyframe: a parser gives them one later."""


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
    found, key, trailing = 0, None, 0
    doubt = _Doubt(stream)
    with av.logging.Capture() as told:
        for packet in packets_of(container, stream):
            pts = packet.pts
            found += doubt.is_grounded(packet)
            if end is not None and packet.dts is not None and packet.dts >= end:
                found += doubt.since > 0
                break
            if packet.is_keyframe and pts is not None and _is_needed(pts, start, key):
                found, key = 0, pts
            frames = decoded(packet)
            bad = frames is None or any(frame.is_corrupt for frame in frames)
            bad = bad or any(name != container.format.name for _, name, _ in told)
            if key is None or pts is None or pts >= key:
                found += bad
                doubt.take(packet, bad)
            if packet.size:
                trailing = trailing + 1 if frames is None else 0
            told.clear()
        else:
            found -= min(trailing, found)
    return found


class _Doubt:
    """Whether a packet that the demuxer doubts, and the decoder does not, is damaged."""

    def __init__(self, stream: VideoStream) -> None:
        self._silent = stream.codec_context.codec.canonical_name in _SILENT
        self.since = 0
        """Packets, counted from 1, which is that one; 0 without one."""

    def take(self, packet: Packet[VideoStream], bad: bool) -> None:
        """One that was decoded; `bad` is what the decoder makes of it."""
        if bad:
            self.since = 0
        elif self._silent and packet.is_corrupt:
            self.since = 1

    def is_grounded(self, packet: Packet[VideoStream]) -> bool:
        """Whether the doubt is, now that `packet` follows; it ends with that, or at a keyframe."""
        self.since = 0 if packet.is_keyframe else self.since + (self.since > 0)
        if self.since <= _LATE:
            return False
        self.since = 0
        return True


def _is_needed(pts: int, start: int | None, before: int | None) -> bool:
    """Whether a keyframe is one from which frames from `start` on can be decoded; `before` is such
    a one before it."""
    return before is None if start is None else pts <= start
