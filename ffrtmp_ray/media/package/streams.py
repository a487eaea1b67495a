"""What a package consists of, as its manifests tell: streams and their segments. Pure values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

INIT = "init.mp4"
"""Name of a stream's header in its folder."""
PLAYLIST = "index.m3u8"
MASTER = "master.m3u8"
MANIFEST = "manifest.mpd"
_ROUNDED = Fraction(101, 100)
"""Frames a second by their average that rounded times may come to: those of Matroska, which are
milliseconds, come to a thousandth."""
WHOLE_TEXT = "all.vtt"
"""Of subtitles, in their folder: all cues, as DASH has them."""


@dataclass(frozen=True, slots=True)
class Segment:
    name: str
    """Of its file in its stream's folder."""
    start: int
    end: int
    """When it is presented, in ticks of its stream."""
    bytes: int


@dataclass(frozen=True, slots=True)
class Stream:
    """A folder of segments: a rendition, or a sound."""

    folder: str
    """Within the output."""
    codecs: tuple[str, ...]
    """As RFC 6381 has them; those of transport streams have a sound's, too."""
    timescale: int
    """Ticks a second."""
    segments: tuple[Segment, ...]
    header: int = 0
    """Bytes of `INIT`; 0 for transport streams, which have none."""

    @property
    def seconds(self) -> Fraction:
        return Fraction(self.segments[-1].end - self.segments[0].start, self.timescale)

    @property
    def bytes(self) -> int:
        return self.header + sum(segment.bytes for segment in self.segments)

    def length(self, segment: Segment) -> Fraction:
        """Seconds."""
        return Fraction(segment.end - segment.start, self.timescale)

    @property
    def target(self) -> int:
        """EXT-X-TARGETDURATION: no segment's length, rounded to whole seconds, is over it."""
        return max(1, *(floor(self.length(each) + Fraction(1, 2)) for each in self.segments))

    @property
    def average_rate(self) -> int:
        """Bits a second."""
        return round(8 * sum(segment.bytes for segment in self.segments) / self.seconds)

    @property
    def peak_rate(self) -> int:
        """The highest bits a second of any run of segments that lasts from 0.5 to 1.5 target
        durations (RFC 8216, 4.1); of the whole where it is shorter."""
        shortest, longest = Fraction(self.target, 2), Fraction(3 * self.target, 2)
        peak = Fraction(0)
        for begin in range(len(self.segments)):
            size, length = 0, Fraction(0)
            for segment in self.segments[begin:]:
                size, length = size + segment.bytes, length + self.length(segment)
                if length > longest:
                    break
                if length >= shortest:
                    peak = max(peak, 8 * size / length)
        return round(peak) or self.average_rate


def peak_frame_rate(ticks: Sequence[int], timescale: int, average: Fraction) -> Fraction:
    """Frames a second where they follow each other fastest (RFC 8216, 4.3.4.2, FRAME-RATE), over as
    many frames as a second has on average: two frames alone would tell how times are rounded. The
    average where it is no more than that by what rounding comes to.

    `ticks`, of which a second has `timescale`, are when the frames are shown, rising.
    """
    many = max(round(average), 1)
    spans = [later - earlier for earlier, later in zip(ticks, ticks[many:], strict=False)]
    if not spans:
        return average
    peak = Fraction(many * timescale, min(spans))
    return peak if peak > average * _ROUNDED else average


@dataclass(frozen=True, slots=True)
class PictureStream:
    name: str
    stream: Stream
    width: int
    height: int
    frame_rate: Fraction
    """Frames a second, on average."""
    peak_frame_rate: Fraction
    """Where they follow each other fastest; see `peak_frame_rate`."""
    video_range: str
    """SDR, PQ or HLG."""
    buffer_seconds: float | None
    """See `OutputView`."""


@dataclass(frozen=True, slots=True)
class SoundStream:
    name: str
    """For people; no two of a package are alike."""
    codec: str
    channels: int
    rate: int
    """Samples a second."""
    language: str | None
    default: bool
    """Players choose it."""
    stream: Stream | None
    """None: it lies in the pictures' transport streams."""


@dataclass(frozen=True, slots=True)
class SubtitleStream:
    """WebVTT, in segments of text, and whole as `WHOLE_TEXT`."""

    name: str
    """For people; no two of a package are alike."""
    language: str | None
    default: bool
    forced: bool
    """Shown also to who wants none: what is said in another language."""
    stream: Stream


@dataclass(frozen=True, slots=True)
class Package:
    pictures: tuple[PictureStream, ...]
    sounds: tuple[SoundStream, ...]
    texts: tuple[SubtitleStream, ...] = ()

    @property
    def playlists(self) -> tuple[Stream, ...]:
        """All that have segments of their own, of media or of text."""
        return (*self.streams, *(text.stream for text in self.texts))

    @property
    def streams(self) -> tuple[Stream, ...]:
        """All that have segments of media of their own."""
        sounds = tuple(sound.stream for sound in self.sounds if sound.stream is not None)
        return (*(picture.stream for picture in self.pictures), *sounds)

    @property
    def seconds(self) -> Fraction:
        return max(stream.seconds for stream in self.streams)


def segments(
    starts: Sequence[int], end: int, sizes: Sequence[int], suffix: str
) -> tuple[Segment, ...]:
    """Segments that follow each other, numbered from 1: those that begin at `starts`, the last of
    which ends at `end`."""
    ends = (*starts[1:], end)
    return tuple(
        Segment(segment_name(number, suffix), *each)
        for number, each in enumerate(zip(starts, ends, sizes, strict=True), start=1)
    )


def segment_name(number: int, suffix: str) -> str:
    return f"{number:05}.{suffix}"
