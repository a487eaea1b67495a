"""When the packets of a sound or of subtitles are due. Runs in the child process."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
from av.container import InputContainer

from ffrtmp_ray.media.bitmaps.segments import begins
from ffrtmp_ray.media.bitmaps.times import Cue, first_needed, times_of
from ffrtmp_ray.media.probe.open import opened, packets_of, subtitles_of
from ffrtmp_ray.media.probe.source import FirstNeeded, FirstPacket, SoundPackets

GAP = Fraction(15, 1000)
"""Seconds. A lost packet leaves 20 ms at least; rounded times are no gaps."""


def sound_packets(address: str, length: str | None) -> SoundPackets:
    """Of the first sound of a file; decodes nothing. `length` is how many seconds each packet
    lasts, as a fraction: MP4 has only when the next one begins, whatever is missing before it."""
    each = None if length is None else Fraction(length)
    count, missing = 0, Fraction(0)
    with opened(address) as container:
        stream = container.streams.audio[0]
        start = Fraction(container.start_time or 0, av.time_base)
        expected: Fraction | None = None
        for packet in packets_of(container, stream):
            if packet.pts is None or packet.time_base is None:
                continue
            begin = packet.pts * packet.time_base
            if expected is not None and abs(begin - expected) > GAP:
                missing += abs(begin - expected)
            expected = begin + (each or (packet.duration or 0) * packet.time_base)
            count += 1
    return SoundPackets(packets=count, start=max(start, Fraction(0)), missing=missing)


def first_packet(address: str) -> FirstPacket:
    """Of any stream."""
    with opened(address) as container:
        if not any(packet.size for packet in container.demux()):
            return FirstPacket(start=None)
        return FirstPacket(start=Fraction(container.start_time or 0, av.time_base))


def first_of_bitmaps(address: str, start: str) -> FirstNeeded:
    """Of a file of subtitles that are bitmaps: the first packet that is needed for what is shown
    from `start` on, in seconds."""
    with opened(address) as container:
        return FirstNeeded(time=first_needed(_cues(container), Fraction(start)))


def _cues(container: InputContainer) -> Iterator[Cue]:
    """Those that can be decoded."""
    stream = subtitles_of(container, 0)
    context = stream.codec_context
    codec = context.codec.canonical_name
    for packet in packets_of(container, stream):
        if packet.pts is None or packet.time_base is None or not packet.size:
            continue
        try:
            shown = context.decode2(packet)
        except MemoryError:  # libav's is one of the errors below, too
            raise
        except av.FFmpegError:
            continue
        if shown is not None:
            _, end = times_of(shown, packet.time_base)
            due = packet.pts * packet.time_base
            yield Cue(due, begins(codec, bytes(packet)), len(shown) > 0, end)
