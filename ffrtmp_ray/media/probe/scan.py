"""Reads the packets of one video stream: how many frames, from when to when, keyframes where.

Decodes nothing. Runs in the child process.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from av.container import InputContainer
from av.video.stream import VideoStream


@dataclass(slots=True)
class Scan:
    """Times in ticks of the stream's time base."""

    frames: int = 0
    """Packets to be shown: with data, and not discarded by an edit list."""
    untimed: int = 0
    """Of these, those without a time."""
    repeated: int = 0
    """Of these, those at the time of another: fields, or a broken file."""
    first: int | None = None
    last: int | None = None
    last_duration: int | None = None
    keyframes: list[int] = field(default_factory=list)

    @property
    def countable(self) -> bool:
        return self.frames > 0 and not self.untimed and not self.repeated


def scan(container: InputContainer, stream: VideoStream) -> Scan:
    """Scan from where `container` stands, which should be its start, to its end."""
    found = Scan()
    seen: set[int] = set()
    for packet in container.demux(stream):
        if packet.size == 0 or packet.is_discard:
            continue
        found.frames += 1
        if packet.pts is None:
            found.untimed += 1
            continue
        if packet.pts in seen:
            found.repeated += 1
        seen.add(packet.pts)
        if packet.is_keyframe:
            found.keyframes.append(packet.pts)
        if found.first is None or packet.pts < found.first:
            found.first = packet.pts
        if found.last is None or packet.pts > found.last:
            found.last, found.last_duration = packet.pts, packet.duration or None
    found.keyframes.sort()
    return found
