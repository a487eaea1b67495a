"""Where the timeline of a source is cut into chunks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ffrtmp_ray.media.probe.source import VideoStream


@dataclass(frozen=True, slots=True)
class Chunk:
    """A span that one encode makes, on the source's own clock. Times in seconds."""

    number: int
    start: Fraction
    """The time of its first frame."""
    end: Fraction
    """The time of the next chunk's first frame, or the end of the picture."""
    frames: int
    """What it has by the count of packets; exact where `VideoStream.countable` says so."""
    last_frame: Fraction
    """The time of its last frame."""


def chunks_of(video: VideoStream) -> tuple[Chunk, ...]:
    """The whole picture as one chunk."""
    return (
        Chunk(
            number=0,
            start=video.first,
            end=video.end,
            frames=video.frames,
            last_frame=video.last,
        ),
    )
