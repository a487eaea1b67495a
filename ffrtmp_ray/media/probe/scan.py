"""Reads the packets of one video stream: which frames, when, keyframes where, what is in them.

Decodes nothing. Runs in the child process.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any

from av.container import InputContainer
from av.video.stream import VideoStream

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.probe.entry import Test, entry_test
from ffrtmp_ray.media.probe.open import Refusal, packets_of, time_base_of

MOST_FRAMES = 2**22
"""Of a picture: 19 hours at 60 frames a second. The time of each is kept in memory, here and in the
worker."""
_INDEXED = "mov,mp4,m4a,3gp,3g2,mj2"
"""libavformat's demuxer of MP4, which comes down on the very keyframe that is sought: others may
come down behind it."""
_BACK = Fraction(1, 10)
"""Seconds by which a clock goes back when it is another: as ffmpeg has them, which bridges that
(fftools' `ts_discontinuity_detect`)."""
_LEAP = Fraction(2**32, 90_000)
"""Seconds by which a clock of 33 bits goes on when it goes back before the time at which the file
begins: libavformat takes that for a turn of the clock, and no picture pauses for half of one."""


@dataclass(slots=True)
class Scan:
    """Times in ticks of the stream's time base."""

    frames: int = 0
    """Packets to be shown: with data, and not discarded by an edit list."""
    hidden: int = 0
    """Packets with data that an edit list discards."""
    untimed: int = 0
    """Of these, those without a time."""
    repeated: int = 0
    """Of these, those at the time of another: fields, or a broken file."""
    ticks: list[int] = field(default_factory=list)
    """When each frame is shown, rising; those without a time are left out."""
    last_duration: int | None = None
    restarts: bool = False
    """Decoding times go back somewhere, by `_BACK`, or on by `_LEAP`."""
    keyframes: list[int] = field(default_factory=list)
    closed: bool = False
    """Nothing that is shown after any of these refers to what is before it, and the container's
    index says where it is."""
    rises: bool = True
    """Frames are shown in the order in which they are decoded, by their packets."""
    together: bool = True
    """And at the very times."""
    sizes: list[tuple[int, int]] = field(default_factory=list)
    """When each of these is decoded, and its bits."""
    digest: Any = field(default_factory=hashlib.sha256)
    """Of all packets with their times, so of all that a decoder is given."""

    headless: int = 0
    """Packets before the first that can be decoded, by the times at which they are shown."""

    @property
    def countable(self) -> bool:
        return self.frames > 0 and not self.untimed and not self.repeated

    def begin_at(self, tick: int | None) -> None:
        """Leave out what is shown before `tick`, when the first frame is that a decoder gives: a
        recording that begins between keyframes has pictures that need what is missing before them.
        A time that no packet has says nothing.
        """
        begin = 0 if tick is None else bisect_left(self.ticks, tick)
        if begin == 0 or self.ticks[begin : begin + 1] != [tick]:
            return
        self.ticks, self.headless = self.ticks[begin:], begin
        self.frames -= begin
        self.repeated = _repeated(self.ticks)


def scan(container: InputContainer, stream: VideoStream) -> Scan:
    """Scan from where `container` stands, which should be its start, to its end.

    Raises Refusal when there is no end in sight.
    """
    found, closed = Scan(), _closed_test(container, stream)
    found.closed = closed is not None
    found.digest.update(stream.codec_context.extradata or b"")
    last: int | None = None
    decoded: int | None = None
    # whole ticks, since fractions would take half of the time
    back, leap = floor(_BACK / time_base_of(stream)), floor(_LEAP / time_base_of(stream))
    for packet in packets_of(container, stream):
        if packet.size == 0:
            continue
        found.digest.update(f"{packet.pts},{packet.dts},{packet.is_discard};".encode())
        found.digest.update(packet)
        if packet.dts is not None:
            if decoded is not None and not -back <= packet.dts - decoded <= leap:
                found.restarts = True
            decoded = packet.dts
        if packet.is_discard:
            found.hidden += 1
            continue
        found.frames += 1
        if found.frames > MOST_FRAMES:
            reason = f"the picture has more than {MOST_FRAMES:,} frames: split the file"
            raise Refusal(FailureKind.OVER_LIMIT, reason)
        if packet.pts is None:
            found.untimed += 1
            continue
        found.ticks.append(packet.pts)
        found.together &= packet.pts == packet.dts
        found.sizes.append((packet.pts if packet.dts is None else packet.dts, packet.size * 8))
        if packet.is_keyframe:
            found.keyframes.append(packet.pts)
            found.closed = found.closed and closed is not None and closed(memoryview(packet))
        if last is None or packet.pts > last:
            last, found.last_duration = packet.pts, packet.duration or None
        else:
            found.rises = False
    found.ticks.sort()
    found.keyframes.sort()
    found.repeated = _repeated(found.ticks)
    return found


def _closed_test(container: InputContainer, stream: VideoStream) -> Test | None:
    """None where nothing that is found with it would count."""
    if container.format.name != _INDEXED:
        return None
    return entry_test(
        stream.codec_context.codec.canonical_name, stream.codec_context.extradata or b""
    )


def _repeated(ticks: Sequence[int]) -> int:
    return len(ticks) - len(set(ticks))
