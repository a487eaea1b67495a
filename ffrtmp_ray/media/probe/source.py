"""What is known of a media file. Values only: times are exact fractions of a second."""

from __future__ import annotations

from fractions import Fraction

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Color(Value):
    """How code values mean light, in ffmpeg's names (ITU-T H.273); None where it is not said."""

    primaries: str | None = None
    transfer: str | None = None
    matrix: str | None = None
    range: str | None = None
    """`tv` or `pc`."""


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
    color: Color = Color()
    time_base: Fraction
    frames: int
    """Packets to be shown: not discarded by an edit list. Where `countable`, these are frames."""
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
    keyframes: tuple[Fraction, ...] = ()

    @property
    def sideways(self) -> bool:
        """Whether a player turns the picture by a quarter."""
        return self.rotation % 180 == 90

    @property
    def shown_width(self) -> int:
        """After rotation; pixels as they are stored."""
        return self.height if self.sideways else self.width

    @property
    def shown_height(self) -> int:
        return self.width if self.sideways else self.height

    @property
    def shown_sample_aspect(self) -> Fraction:
        return 1 / self.sample_aspect if self.sideways else self.sample_aspect


class AudioStream(Value):
    index: int
    codec: str
    channels: int
    sample_rate: int
    """Samples a second."""
    start: Fraction
    """When the first decoded sample is heard, in seconds on the file's own clock."""
    duration: Fraction | None = None
    language: str | None = None


class Source(Value):
    """A file that has a picture."""

    container: str
    """ffmpeg's name of the demuxer."""
    bytes: int
    duration: Fraction
    """Seconds, as the container says, or as its picture lasts."""
    video: VideoStream
    audio: tuple[AudioStream, ...] = ()
    """In the file's order, those that can be decoded."""
    subtitles: int = 0
    """How many subtitle streams there are."""


class FrameCount(Value):
    """What decoding a whole stream has shown."""

    frames: int
    first: Fraction
    last: Fraction
    damaged: int
    """Packets that could not be decoded."""


class Decoded(Value):
    """What decoding samples of a file has shown."""

    frames: int
    damaged: int
