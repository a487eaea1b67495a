"""What is known of a media file. Values only: times are exact fractions of a second."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pydantic import Field

from ffrtmp_ray.media.encode.work import AttachedFont, Color, Light, Regular, Value


class VideoStream(Value):
    """The picture, as its first frames and its packets show it."""

    index: int
    """Of the stream in its file."""
    codec: str
    """ffmpeg's name of the codec, as `h264`."""
    width: int
    height: int
    """Pixels as they are stored, before rotation."""
    sample_aspect: Fraction = Fraction(1)
    """Width of a pixel by its height."""
    rotation: int = 0
    """Degrees, counterclockwise, by which a player turns the picture."""
    pixel_format: str
    bit_depth: int
    rgb: bool = False
    """Its pixels are red, green and blue."""
    color: Color = Color()
    light: Light | None = None
    dynamic_hdr: tuple[str, ...] = ()
    """Per-frame metadata that no encoder here carries on: `HDR10+`, `Dolby Vision`."""
    base_layer: bool = True
    """Its pixels mean what `color` says; those of Dolby Vision's profile 5 do not."""
    extradata: str = ""
    """SHA-256, in hex, of the codec's parameter sets: equal ones can be joined."""
    time_base: Fraction
    frames: int
    """Packets to be shown: not discarded by an edit list. Where `countable`, these are frames."""
    headless: int = 0
    """Packets before these that no decoder can show: the file begins between keyframes."""
    countable: bool
    """Every packet has a time of its own, so frames can be counted without decoding."""
    first: Fraction
    """When the first frame is shown, in seconds on the file's own clock."""
    last: Fraction
    """When the last frame is shown."""
    end: Fraction
    """When the last frame ends, by its own duration or the average one."""
    average_rate: Fraction | None = None
    """Frames a second; None where the file does not say."""
    interlaced: bool = False
    keyframes: tuple[int, ...] = ()
    """When they are shown, rising, in ticks of `time_base`."""
    closed: bool = False
    """Decoding may begin at any of them, found by seeking to the very one: see `probe.entry`."""
    ticks: tuple[int, ...] = ()
    """When each frame is shown, rising, in ticks of `time_base`; empty where not `countable`."""
    regular: Regular | None = None
    """When its frames are shown, where no packet says it of its own: see `probe.order`."""
    start_pts: int | None = None
    """The tick of the first frame, where frames before it are to be left out (see `plan.trim`)."""
    end_pts: int | None = None
    """The tick from which on frames are to be left out."""
    peak_bitrate: int = 0
    """Bits per second, in those two seconds (`BUFFER_SECONDS`) that have most of them."""
    fingerprint: str = ""
    """SHA-256, in hex, of its packets and their times: the same in every file that holds them."""

    @property
    def hdr(self) -> bool:
        """Whether its light is coded by PQ or HLG (ITU-R BT.2100)."""
        return self.color.hdr

    @property
    def trimmed(self) -> bool:
        """Whether frames of it are to be left out, at either end."""
        return self.start_pts is not None or self.end_pts is not None

    @property
    def sideways(self) -> bool:
        """Whether a player turns the picture by a quarter."""
        return self.rotation % 180 == 90

    @property
    def shown_width(self) -> int:
        """Columns after rotation, of pixels as they are stored."""
        return self.height if self.sideways else self.width

    @property
    def shown_height(self) -> int:
        """Rows after rotation."""
        return self.width if self.sideways else self.height


class TrackLabels(Value):
    """What the user of a sound or of subtitles is told of it, beside what it is."""

    language: str | None = None
    """As the source names it; None where it says nothing."""
    title: str | None = None
    dispositions: tuple[str, ...] = ()
    """ffmpeg's words for what it is meant for: `default`, `forced`, `comment` …"""


class AudioStream(TrackLabels):
    index: int
    codec: str
    channels: int
    sample_rate: int
    """Samples a second."""
    start: Fraction
    """When the first decoded sample is heard, in seconds on the file's own clock."""
    duration: Fraction | None = None
    bits: Literal[16, 24] = 16
    """Of a sample, as many as keep all of it; of what is lossy, 16 say as much."""
    frame_samples: int = 0
    """Of each packet, in samples; 0 where it is not known, or differs."""
    bitrate: int | None = None
    """Bits a second, as far as the file says."""

    def is_heard_with(self, video: VideoStream) -> bool:
        """Whether some of it is heard while that picture is shown, as far as the file says."""
        ends_before = self.duration is not None and self.start + self.duration <= video.first
        return self.start < video.end and not ends_before


class TextStream(TrackLabels):
    """Subtitles that are text; others are pictures."""

    index: int
    codec: str


class BitmapStream(TrackLabels):
    """Subtitles that are pictures, as those of discs and of television are."""

    index: int
    codec: str


class SoundPackets(Value):
    """How the packets of a file's first sound follow each other."""

    packets: int
    start: Fraction
    """When the first sample that is not hidden is heard."""
    missing: Fraction
    """Seconds between packets that do not follow each other, or that are there twice."""


class FirstPacket(Value):
    start: Fraction | None
    """When a file's first packet is shown, which ffmpeg takes from all its times; None where there
    is no packet."""


class FirstNeeded(Value):
    time: Fraction | None
    """When the first packet is due that is needed from some time on; None where none is that is due
    before."""


class Chapter(Value):
    """A named part of a film; times in seconds."""

    start: Fraction
    end: Fraction
    title: str = ""


class Source(Value):
    """A file that has a picture."""

    container: str
    """ffmpeg's name of the demuxer."""
    spliced: bool = False
    """Its clock starts anew somewhere: it is several recordings, one after another."""
    bytes: int
    duration: Fraction
    """Seconds, as the container says, or as its picture lasts where that is longer."""
    video: VideoStream
    audio: tuple[AudioStream, ...] = ()
    """In the file's order, those that can be decoded and are heard while the picture is shown."""
    subtitles: int = 0
    """How many subtitle streams there are."""
    texts: tuple[TextStream, ...] = ()
    """Of these, those that are text, in the file's order."""
    bitmaps: tuple[BitmapStream, ...] = ()
    """And those that are pictures."""
    fonts: tuple[AttachedFont, ...] = ()
    tags: dict[str, str] = Field(default_factory=dict)
    """What it says of itself, by `spec.metadata.Tag`."""
    chapters: tuple[Chapter, ...] = ()
    """On the file's own clock."""


class SoundSource(Value):
    """A file of which the sound alone is of interest."""

    container: str
    """ffmpeg's name of the demuxer."""
    bytes: int
    duration: Fraction
    """Seconds, as the container says; 0 where it does not."""
    audio: tuple[AudioStream, ...]
    """In the file's order, those that can be decoded; at least one."""
    tags: dict[str, str] = Field(default_factory=dict)
    chapters: tuple[Chapter, ...] = ()

    @property
    def end(self) -> Fraction:
        """When the last sound ends, as far as the file says."""
        ends = [sound.start + sound.duration for sound in self.audio if sound.duration]
        return max(ends, default=min(sound.start for sound in self.audio) + self.duration)


class ImageFile(Value):
    """A still image."""

    demuxer: str
    """ffmpeg's, which reads that file alone."""
    width: int
    height: int


class FrameCount(Value):
    """What decoding a whole stream has shown."""

    frames: int
    first: Fraction
    """When the first is shown; 0 where no frame has a time, as of the last."""
    last: Fraction
    damaged: int
    """Packets that could not be decoded."""
    trailing: int = 0
    """Of these, those behind which nothing comes: the file was cut off."""


class Damage(Value):
    """What decoding a part of a picture has shown."""

    packets: int
    """That are damaged, or whose pictures had to be made up in part."""


class NeededBuffer(Value):
    """What a file's picture asks of a player, at some bitrate."""

    bits: int


class KeptShare(Value):
    """How a file's picture keeps a bitrate."""

    share: float
    """Of its bits for which that has room; 1 where it is kept."""


class Decoded(Value):
    """What decoding samples of a file has shown."""

    frames: int
    damaged: int
