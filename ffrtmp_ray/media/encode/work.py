"""What an encode is to do, as values that travel in a task's payload. Nothing is decided here.

A payload is `work.model_dump(mode="json")`, and `VideoWork.model_validate(payload)` reads it.
Exact numbers are fractions, written as `"30000/1001"`.
"""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ffrtmp_ray.media.spec import Audio, Rendition

ColorName = Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
"""ffmpeg's word, or the number that ITU-T H.273 gives it."""


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Color(Value):
    """What the source says of its colours; None where it says nothing, and nothing is then said."""

    primaries: ColorName | None = None
    transfer: ColorName | None = None
    matrix: ColorName | None = None
    range: Literal["tv", "pc"] | None = None

    @property
    def hdr(self) -> bool:
        """Whether its light is coded by PQ or HLG (ITU-R BT.2100)."""
        return self.transfer in ("smpte2084", "arib-std-b67")


class Mastering(Value):
    """The display on which a picture was finished (SMPTE ST 2086): chromaticities in units of
    0.00002, luminances in units of 0.0001 cd/m², as HEVC and MP4 write them."""

    red: tuple[int, int]
    green: tuple[int, int]
    blue: tuple[int, int]
    white: tuple[int, int]
    darkest: int
    brightest: int


class Light(Value):
    """What HDR10 says once of a whole picture."""

    mastering: Mastering | None = None
    max_cll: int = 0
    """Of the brightest pixel, in cd/m² (CTA-861.3); 0 is unknown."""
    max_fall: int = 0
    """Of the brightest frame, on average."""


class ChunkWork(Value):
    """A span of the source's timeline: frames from `start_pts` on, and before `end_pts`."""

    time_base: Fraction = Field(gt=0)
    """Seconds in a tick of `first_pts`, `start_pts` and `end_pts`: the source stream's own."""
    seek_seconds: Fraction | None = None
    """Where reading starts: the time of a keyframe (see `plan.cuts.seek_to`); None reads from the
    beginning."""
    first_pts: int
    """Of the picture's first frame, from which all chunks count time."""
    start_pts: int | None = None
    """None is the picture's first frame."""
    end_pts: int | None = None
    """None is the end of the picture."""
    offset: int = Field(ge=0)
    """From the picture's first frame to the chunk's, in ticks of the outputs' `timescale`."""
    length: int | None = Field(default=None, gt=0)
    """From the chunk's first frame to the next chunk's, in those ticks; None where none follows."""
    until_pts: int | None = None
    """The last frame that is read for renditions of a rate of their own, whose last frames may show
    what the source has behind `end_pts`; None reads up to there."""
    shortest: Fraction | None = Field(default=None, gt=0)
    """Length in seconds of the shortest of the job's chunks, by which all of them keep to a
    bitrate; None where it is the only one."""


class Mark(Value):
    """An image that is laid over every frame, or over those of a span. Lengths are pixels of the
    source as it is turned when shown."""

    path: str
    demuxer: str
    """ffmpeg's."""
    sha256: str
    """Of the file, in hex."""
    width: int = Field(ge=2, multiple_of=2)
    height: int = Field(ge=2, multiple_of=2)
    x: int = Field(ge=0, multiple_of=2)
    y: int = Field(ge=0, multiple_of=2)
    opacity: float = Field(gt=0, le=1)
    start: Fraction | None = None
    """Seconds from the picture's first frame."""
    end: Fraction | None = None


class Box(Value):
    """A rectangle of a picture, in pixels."""

    x: int = Field(ge=0)
    y: int = Field(ge=0)
    width: int = Field(gt=0)
    height: int = Field(gt=0)


class Burned(Value):
    """Subtitles that are drawn on the picture."""

    path: str
    """Of SubRip, one cue at a time in each place, whose time zero is the picture's first frame; of
    what is `styled`, ASS in Matroska, later by `encode.burn.STYLED_LATER`; of bitmaps, a film in
    ticks of the job's `timescale`, with a frame for each change. Relative to the workspace, until a
    step puts its machine's in (`steps.burn.local`)."""
    sha256: str
    """Of that text and of the fonts, or of that film, in hex."""
    box: Box | None = None
    """Where the film lies on the picture; None where it is none."""
    styled: bool = False
    makes_room: bool = False
    """Where its cues lie depends on those before them: what is drawn is not to be cut."""
    attached: str | None = None
    """A folder of fonts that came with it, like `path`."""
    fonts: str = ""
    """The folder of the fonts that come with the installation; known by the step alone."""
    width: int
    height: int
    """Of the source's picture as it is turned when shown."""
    aspect: Fraction = Field(default=Fraction(1), gt=0)
    """Width of a pixel by its height, turned in the same way."""
    stream: int | None = None
    """Index in the source; None where they come from a file."""


class Form(Value):
    """Of frames, before anything is done to them."""

    width: int = Field(gt=0)
    height: int = Field(gt=0)
    """Pixels, of the picture as it is turned when shown."""
    pixels: str = Field(pattern=r"^[a-z0-9_]+$")
    """ffmpeg's name of their format."""


class Regular(Value):
    """Times of frames in the order in which they are shown, for a picture whose packets do not say
    them."""

    time_base: Fraction = Field(gt=0)
    first: int
    """Of the first frame, in ticks of `time_base`."""
    step: Fraction = Field(gt=0)
    """From each to the next, in ticks."""


class OutputWork(Value):
    """One rendition and the size that it has here (see `encode.size.fit`)."""

    rendition: Rendition
    width: int = Field(ge=2, multiple_of=2)
    height: int = Field(ge=2, multiple_of=2)
    tone_mapped: bool = False
    """The source is HDR, and this is to be SDR."""
    via: tuple[tuple[int, int], ...] = ()
    """Sizes (width, height) to which it is scaled on its way to its own, from large to small."""
    tries: int = Field(default=1, ge=1)
    """With this encode: those before it have exceeded its bitrate. Its file says so."""


class VideoWork(Value):
    """The picture of one chunk, decoded once and encoded in every rendition.

    Each rendition becomes a fragmented MP4 without sound whose first frame is at time zero and
    whose other frames keep their distance to it, to the nearest tick of `timescale`.
    """

    stream: int = Field(ge=0)
    """Index of the picture's stream in the source."""
    frame_rate: Fraction = Field(gt=0)
    """The source's frames a second, on average; only rate control and GOPs depend on it."""
    timescale: int = Field(ge=1, le=2**31 - 1)
    """Ticks a second of every output, the same in all chunks of a job."""
    outputs: tuple[OutputWork, ...] = Field(min_length=1)
    bit_depth: Literal[8, 10] = 8
    """Of the outputs; an encoder that has 8 bit only makes 8 bit."""
    color: Color = Color()
    """Of the source; without matrix and range where it is `rgb`."""
    rgb: bool = False
    """The source's pixels are red, green and blue; they become BT.709 of limited range."""
    interlaced: bool = False
    """The source may hold interlaced frames; those are deinterlaced, the others left alone."""
    form: Form | None = None
    """Of the source's first frame; the others get it before they are deinterlaced, which looks at
    several at a time, or drawn on. None: nothing needs that they have the same."""
    regular: Regular | None = None
    """None: frames are shown when their packets say. Else the source is read from its beginning."""
    light: Light | None = None
    """Of the source; told to every encoder, for not every frame says it."""
    mark: Mark | None = None
    burned: Burned | None = None
    """A mark lies over them."""
    chunk: ChunkWork | None = None
    """None is the whole file."""
    keyframes: tuple[int, ...] = ()
    """Where keyframes are forced, beside those of the encoders' own: at the first frame at or
    after each of these times, in ticks of `timescale` from the first frame."""


class TextForm(StrEnum):
    """ffmpeg's names of the files that subtitles are taken out into; of text, those of their codecs
    too."""

    SUBRIP = "srt"
    WEBVTT = "webvtt"
    PACKETS = "matroska"
    """As they are in the source: what is styled, and what is pictures."""


class AttachedFont(Value):
    """A font that a Matroska file brings along for its subtitles."""

    number: int = Field(ge=0)
    """Of the file's attachments, from 0."""
    media_type: str = Field(pattern=r"^[a-z]+/[a-z0-9.+-]+$")

    @property
    def name(self) -> str:
        """Of the file that it is put in: nothing that the source says."""
        return f"font{self.number}"


class TextWork(Value):
    """Subtitles of the whole file, with the picture's first frame as their time zero."""

    stream: int = Field(ge=0)
    """Index of the subtitles' stream in the source."""
    form: TextForm
    bitmaps: bool = False
    """They are no text."""
    fonts: tuple[AttachedFont, ...] = ()
    """That are taken out with them."""
    picture_start: Fraction
    """Presentation time of the picture's first frame in the source, in seconds."""
    length: Fraction
    """Seconds from then on for which there is a picture."""


class AudioWork(Value):
    """The sound of the whole file, encoded once.

    It becomes an MP4 whose time zero is the picture's first frame, so that it is joined with the
    picture as it is, without an offset: sound that starts later is preceded by silence, and what
    would be heard before the first picture is left out.
    """

    stream: int = Field(ge=0)
    """Index of the sound's stream in the source."""
    audio: Audio
    source_channels: int = Field(ge=1)
    source_rate: int = Field(ge=1)
    """Samples a second."""
    source_bits: Literal[16, 24] = 16
    """Of a sample, which lossless encoders keep."""
    picture_start: Fraction = Fraction(0)
    """Presentation time of the picture's first frame in the source, in seconds."""
    length: Fraction | None = None
    """Seconds from then on that are wanted, where a trim leaves out the rest."""


class SoundCopy(Value):
    """The packets of a source's sound, taken as they are."""

    container: Literal["mp4", "mka"]
    """Of the file to make: one that holds the codec."""
    frame_samples: int = Field(default=0, ge=0)
    """Of each packet, where all have as many."""
    required: bool
    """It is copied even if packets are missing; otherwise it is encoded then."""
