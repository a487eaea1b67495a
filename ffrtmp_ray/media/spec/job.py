"""A job as it is submitted, and what of it can be changed later."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from ffrtmp_ray.core.model import Priority, Queue
from ffrtmp_ray.media.spec.base import SpecModel
from ffrtmp_ray.media.spec.burn import Burn
from ffrtmp_ray.media.spec.images import Images
from ffrtmp_ray.media.spec.ladder import Ladder
from ffrtmp_ray.media.spec.metadata import Metadata
from ffrtmp_ray.media.spec.rendition import Copying, Name
from ffrtmp_ray.media.spec.tracks import Languages, Tracks
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.spec.watermark import Watermark

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


class Measure(StrEnum):
    """How an encode is compared with what it was made of; more is better."""

    VMAF = "vmaf"
    """What people would say of it, 0 to 100; of SDR pictures only."""
    PSNR = "psnr"
    """Of luma, in dB; 60 at most with 8 bits, 72 with 10."""
    SSIM = "ssim"
    """Of luma, at most 1."""


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
        "of sound alone also .m4a, .mka, .mp3, .opus, .ogg, .flac, .wav), or of the folder for a "
        "ladder of several renditions, or one that is packaged. Nothing may be there yet.",
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
    sound_copying: Copying | None = Field(
        default=None,
        description="Whether the source's sounds are taken as they are, not encoded: never, "
        "allowed (where they are what would be made of them) or always. By default as the ladder "
        "has it.",
    )
    subtitles: Tracks | Languages | None = Field(
        default=None,
        description="Which subtitles are kept: first, all, or those in languages. By default as "
        "the ladder has it.",
    )
    webvtt: bool = Field(
        default=False,
        description="Put the subtitles that are kept, all if nothing else is said, beside the "
        "files as WebVTT, too; `output` is a folder then.",
    )
    burn: Burn | None = Field(
        default=None,
        description="Subtitles to draw on the picture of every rendition, for players that show "
        "none, or for those that all should see.",
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
