"""What a user asks for: a job's spec, its ladder and renditions. Data, never command line."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from ffrtmp_ray.core.model import Priority, Queue
from ffrtmp_ray.media.spec_base import SpecModel
from ffrtmp_ray.media.spec_images import Images
from ffrtmp_ray.media.spec_metadata import Metadata
from ffrtmp_ray.media.spec_packaging import Packaging
from ffrtmp_ray.media.spec_sound import Loudness
from ffrtmp_ray.media.spec_trim import Trim
from ffrtmp_ray.media.spec_watermark import Watermark

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""Of presets and renditions: becomes a file name."""
Language = Annotated[str, Field(pattern=r"^[a-z]{3}$")]
"""As ISO 639-2 has it: `eng`, and `und` for what names none."""
Languages = Annotated[tuple[Language, ...], Field(min_length=1, max_length=32)]
"""The first is the one that players choose."""

MOST_DEPENDENCIES = 100
MOST_IN_BATCH = 1000
"""Jobs that are submitted at once, at most."""


def _checked_labels(labels: dict[str, str]) -> dict[str, str]:
    for key, value in labels.items():
        if not re.fullmatch(r"[A-Za-z0-9_./-]{1,64}", key) or len(value) > 256:
            raise ValueError(
                f"label {key!r}: a key has 1 to 64 letters, digits or _./-, "
                "a value at most 256 characters"
            )
    return labels


def _without_repeats(measures: tuple[Measure, ...]) -> tuple[Measure, ...]:
    return tuple(dict.fromkeys(measures))


Labels = Annotated[dict[str, str], Field(max_length=64), AfterValidator(_checked_labels)]


class Codec(StrEnum):
    H264 = "h264"
    HEVC = "hevc"
    AV1 = "av1"
    VP9 = "vp9"


class AudioCodec(StrEnum):
    AAC = "aac"
    OPUS = "opus"


class Container(StrEnum):
    MP4 = "mp4"
    MKV = "mkv"
    WEBM = "webm"
    M4A = "m4a"
    MKA = "mka"
    OPUS = "opus"
    OGG = "ogg"


class Tracks(StrEnum):
    """Which of a source's sounds or subtitles are taken, where no languages are named."""

    FIRST = "first"
    ALL = "all"


class GpuUse(StrEnum):
    NEVER = "never"
    PREFER = "prefer"
    """A GPU when one is free, a CPU otherwise."""
    REQUIRE = "require"


class Verify(StrEnum):
    """How much of what is made is decoded before it is published; all else is always checked."""

    SAMPLED = "sampled"
    """Three places of each rendition."""
    FULL = "full"
    """Every frame and every sound, beside the encodes."""


class Effort(StrEnum):
    """How much time an encoder spends for a smaller file; each maps to its own presets."""

    FAST = "fast"
    BALANCED = "balanced"
    THOROUGH = "thorough"


class Measure(StrEnum):
    """How an encode is compared with what it was made of; more is better."""

    VMAF = "vmaf"
    """What people would say of it, 0 to 100; of SDR pictures only."""
    PSNR = "psnr"
    """Of luma, in dB; 60 at most with 8 bits, 72 with 10."""
    SSIM = "ssim"
    """Of luma, at most 1."""


class DynamicRange(StrEnum):
    KEEP = "keep"
    """HDR stays HDR, which takes hevc, av1 or vp9."""
    SDR = "sdr"
    """HDR is tone-mapped to BT.709; a source that is SDR stays as it is."""


class Copying(StrEnum):
    """Whether the source's packets may be a rendition as they are: the same codec, size and pixels,
    no other frame rate, nothing cut away, and keyframes where segments begin."""

    ALWAYS = "always"
    """They are, in the source's codec and at whatever bitrate; the job is refused where they cannot
    be."""
    ALLOWED = "allowed"
    """They are where they can be and no two seconds exceed the rendition's `max_bitrate`."""
    NEVER = "never"


class Rendition(SpecModel):
    """One encoded version of the picture."""

    name: Name
    codec: Codec
    height: int | None = Field(default=None, ge=2, le=8640, multiple_of=2)
    """Pixels; the width follows from the picture's shape. None keeps the source's size, rounded
    down to even numbers. A source that is smaller is never enlarged."""
    crf: float | None = Field(default=None, ge=0, le=63)
    """Constant rate factor, on the codec's own scale: 0 to 51 for x264 and x265, to 63 for SVT-AV1
    and VP9."""
    target_vmaf: float | None = Field(default=None, ge=20, le=99)
    """In place of a crf: the one that makes this VMAF of the title is found by encoding samples."""
    max_bitrate: int | None = Field(default=None, ge=10_000, le=1_000_000_000)
    """Bits per second that a line must carry to play it with two seconds of them buffered: the
    leaky bucket of ITU-T H.264, annex C."""
    fps: float | None = Field(default=None, gt=0, le=240)
    """Frames a second; None keeps every frame at its time."""
    effort: Effort = Effort.BALANCED
    dynamic_range: DynamicRange = DynamicRange.KEEP
    copying: Copying = Copying.NEVER

    @model_validator(mode="after")
    def _crf_or_target(self) -> Self:
        if (self.crf is None) == (self.target_vmaf is None):
            raise ValueError("give either `crf` or `target_vmaf`, one of the two")
        return self


class Audio(SpecModel):
    """The sounds of every rendition, each encoded once for the whole file."""

    codec: AudioCodec = AudioCodec.AAC
    bitrate: int = Field(default=128_000, ge=8_000, le=1_024_000)
    """Bits per second."""
    channels: int | None = Field(default=None, ge=1, le=8)
    """Of each sound; None keeps the layout of each."""
    tracks: Tracks | Languages = Tracks.FIRST
    """The source's first sound, all, or those in some languages."""
    loudness: Loudness | None = None
    """Makes each sound as loud as that; None leaves it as it is."""


class Subtitles(SpecModel):
    """Subtitles that are text lie in every file, in the form that its container has."""

    tracks: Tracks | Languages = Tracks.ALL
    """The source's first, all, or those in some languages."""


class Ladder(SpecModel):
    """A set of renditions made from one decode. Several make `output` a folder."""

    renditions: tuple[Rendition, ...] = Field(max_length=16)
    """None makes a file of the sound alone."""
    audio: Audio | None = Audio()
    """None leaves the sound out."""
    subtitles: Subtitles | None = None
    """None leaves them out."""
    container: Container | None = None
    """Of every file in a folder (default mp4); a single file's name says its own."""
    packaging: Packaging | None = None
    """HLS or DASH or both, which make `output` a folder; None makes files."""

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [rendition.name for rendition in self.renditions]
        if len(set(names)) != len(names):
            raise ValueError("two renditions have the same name: each names a file")
        return self

    @model_validator(mode="after")
    def _makes_something(self) -> Self:
        if not self.renditions and (self.audio is None or self.packaging is not None):
            raise ValueError("give renditions; without any, give `audio` and no `packaging`")
        return self

    @model_validator(mode="after")
    def _packages_have_their_own_container(self) -> Self:
        if self.packaging is not None and self.container is not None:
            raise ValueError("give either `container` (of files) or `packaging`, one of the two")
        return self


def rendition_field(number: int, name: str) -> str:
    """How a field of a ladder's rendition is named in errors; counted from 0."""
    return f"ladder.renditions[{number}].{name}"


class JobSpec(SpecModel):
    """A job as it is submitted."""

    input: str = Field(
        min_length=1,
        max_length=4096,
        description="Absolute path of the source, or a URL: http, https, s3, gs, az, upload.",
    )
    output: str = Field(
        min_length=1,
        max_length=4096,
        description="Absolute path, or URL (s3, gs, az), of the file to make (.mp4, .mkv, .webm; "
        "of sound alone also .m4a, .mka, .opus, .ogg), or of the folder for a ladder of several "
        "renditions, or one that is packaged. Nothing may be there yet.",
    )
    preset: Name | None = Field(default=None, description="A ladder by name; see GET /presets.")
    ladder: Ladder | None = Field(default=None, description="A ladder of your own.")
    trim: Trim | None = Field(
        default=None, description="Take this part of the source; by default all of it."
    )
    watermark: Watermark | None = Field(
        default=None, description="An image to lay over the picture of every rendition."
    )
    metadata: Metadata = Field(
        default=Metadata(), description="What the output files say of themselves."
    )
    images: Images | None = Field(
        default=None, description="Still images to make beside it; `output` is a folder then."
    )
    sounds: Tracks | Languages | None = Field(
        default=None,
        description="Which of the source's sounds are taken: first, all, or those in languages "
        "(as eng). By default as the ladder has it.",
    )
    loudness: float | None = Field(
        default=None,
        ge=-70,
        le=-5,
        description="LUFS that each sound is made; by default as the ladder has it.",
    )
    subtitles: Tracks | Languages | None = Field(
        default=None,
        description="Which subtitles are kept: first, all, or those in languages. By default as "
        "the ladder has it.",
    )
    queue: Queue = Queue.DEFAULT
    priority: Priority = Priority.MEDIUM
    gpu: GpuUse = GpuUse.NEVER
    chunks: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Into how many chunks the picture is cut, which are encoded at the same time; "
        "by default as many as keep the farm busy.",
    )
    verify: Verify = Field(
        default=Verify.SAMPLED,
        description="How much of what is made is decoded before it is published: samples, or all.",
    )
    urgent: bool = Field(default=False, description="May take the place of preemptible tasks.")
    preemptible: bool = Field(default=True, description="May give way to live and urgent tasks.")
    quality: Annotated[tuple[Measure, ...], AfterValidator(_without_repeats)] = Field(
        default=(),
        description="Measures by which every rendition is compared with its source, frame by frame;"
        " see `quality` of the job. It costs about as much CPU time as encoding.",
    )
    owner: str = Field(default="default", min_length=1, max_length=128)
    labels: Labels = Field(default_factory=dict)
    max_attempts: int = Field(default=3, ge=1, le=20, description="Failed attempts per task.")
    timeout_seconds: float | None = Field(
        default=None, gt=0, description="From the first start of a task to the end of the job."
    )
    task_timeout_seconds: float | None = Field(
        default=None, gt=0, description="Of one attempt at one task; it is tried again after it."
    )
    not_before: AwareDatetime | None = Field(
        default=None, description="No task of it starts earlier. With a time zone."
    )
    deadline: AwareDatetime | None = Field(
        default=None,
        description="When it should be done. It changes no order; missing it is shown. With a "
        "time zone.",
    )
    depends_on: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = Field(
        default=(),
        max_length=MOST_DEPENDENCIES,
        description="Ids of jobs that must be completed before a task of it starts. It fails when "
        "one of them fails or is canceled.",
    )

    @model_validator(mode="after")
    def _preset_or_ladder(self) -> Self:
        if (self.preset is None) == (self.ladder is None):
            raise ValueError("give either `preset` or `ladder`, one of the two")
        return self

    @model_validator(mode="after")
    def _deadline_can_be_met(self) -> Self:
        if self.deadline and self.not_before and self.deadline <= self.not_before:
            raise ValueError("`deadline` should be later than `not_before`")
        return self


class JobChange(SpecModel):
    """What is to be different of an unfinished job; what is left out stays as it is."""

    queue: Queue | None = None
    priority: Priority | None = None
    labels: Labels | None = Field(
        default=None, description="All labels: those that are not named are removed."
    )

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.queue is None and self.priority is None and self.labels is None:
            raise ValueError("give at least one of `queue`, `priority` and `labels`")
        return self
