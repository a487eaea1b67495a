"""What the tasks of a job are given to do, as values that travel in `NewTask.payload`.

A payload is `work.model_dump(mode="json")`; times are exact fractions of a second.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

from pydantic import Field

from ffrtmp_ray.media.encode.work import (
    AttachedFont,
    AudioWork,
    Burned,
    ChunkWork,
    Color,
    Light,
    Mark,
    SoundCopy,
    TextForm,
    TextWork,
    Value,
    VideoWork,
)
from ffrtmp_ray.media.images.work import ImagesWork
from ffrtmp_ray.media.probe.source import Chapter, TrackLabels
from ffrtmp_ray.media.quality.scores import Distribution
from ffrtmp_ray.media.spec import Codec, Container, GpuUse, Ladder, Measure, Verify
from ffrtmp_ray.media.spec.burn import Burn
from ffrtmp_ray.media.spec.images import Images
from ffrtmp_ray.media.spec.metadata import Metadata
from ffrtmp_ray.media.spec.packaging import Packaging
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.spec.watermark import Watermark
from ffrtmp_ray.storage.origin import Stamp
from ffrtmp_ray.views import OutputView


class FoundFile(Value):
    """A source as it was found when it was opened first."""

    place: str
    """The path of a file, or a URL: by which every worker opens it."""
    bytes: int
    version: str
    """Changes when the file does."""

    @property
    def stamp(self) -> Stamp:
        return Stamp(self.bytes, self.version)


class PlanPayload(Value):
    """Of `plan`: what the user asked for, with its preset resolved."""

    input: str
    output: str
    ladder: Ladder
    trim: Trim | None = None
    metadata: Metadata = Metadata()
    images: Images | None = None
    watermark: Watermark | None = None
    mark: Mark | None = None
    """That watermark as the plan has found it."""
    burn: Burn | None = None
    burned: Burned | None = None
    """Those subtitles as a task has taken them out, for the plan that follows it."""
    gpu: GpuUse
    encode_cpus: int
    """CPUs that one encode takes at most."""
    task_timeout_seconds: float | None = None
    """Of each task, where the user has given one."""
    chunks: int | None = None
    """Into how many chunks the picture is to be cut; None as the farm and the source suggest."""
    chunk_seconds: float = 60.0
    """Of a chunk, at most, where their number is not given."""
    quality: tuple[Measure, ...] = ()
    verify: Verify = Verify.SAMPLED
    inexact: str | None = None
    """Why the job is planned anew, as a clause; None when this is its first plan."""

    copies_fail: str | None = None
    """Why the source's packets are not to be copied, as a clause, when that has been tried."""
    remade: bool = False
    """Chunks that did not fit the others are being made again; that is tried once."""
    apart: bool = False
    """Picture and sound are to be made apart: made at once, they were not exact."""
    fetched: FoundFile | None = None
    """The source in the workspace, when an earlier plan has fetched it whole."""

    def in_one_piece(self, reason: str) -> PlanPayload:
        """The plan of a job whose chunks, or copies, are not exact."""
        again = {"chunks": 1, "inexact": reason, "copies_fail": reason, "burned": None}
        return self.model_copy(update=again)


def burned_stream(work: PlanPayload) -> int | None:
    """Index of the source's subtitles that are burned in."""
    return None if work.burned is None else work.burned.stream


class InputFile(FoundFile):
    """A source as the plan has found it."""

    fingerprint: str
    """Of all that is decoded of its picture, and how it is shown."""


class MeasurePayload(Value):
    """Of `measure<n>`: the renditions that one encode has made, beside their source."""

    encode: str
    """The task that has made them."""
    input: InputFile
    video: VideoWork
    """What that was given, with one frame more on each side where there is one."""
    before: bool
    after: bool
    """Whether there is."""
    chunk: ChunkWork | None
    """Without these frames: for renditions of a rate of their own."""
    width: int
    height: int
    """Of the pictures that are compared: the source's, and renditions scaled to it."""
    measures: dict[str, tuple[Measure, ...]]
    """Of each rendition, by its name."""


class TunePayload(Value):
    """Of `tune<n>`: a rendition whose crf is to be found."""

    input: InputFile
    video: VideoWork
    """With that rendition alone, and no chunk."""
    samples: tuple[ChunkWork, ...]
    width: int
    height: int
    """Of the pictures that are compared."""


class BurnPayload(Value):
    """Of `burn`: subtitles to be drawn on the picture."""

    input: InputFile
    stream: int | None
    """Index in the source; None where they come from `file`."""
    file: str | None
    picture_start: Fraction
    """Of the picture's first frame: in seconds on the source's clock, or of the file's times."""
    length: Fraction
    """Seconds from then on for which there is a picture."""
    width: int
    height: int
    aspect: Fraction
    """As of `Burned`."""
    colored: bool
    """The text may have colours of its own."""
    styled: bool = False
    """It is ASS, and drawn as that says."""
    fonts: tuple[AttachedFont, ...] = ()
    """That it may need."""
    bitmaps: bool = False
    """It is no text."""
    forced: bool = False
    """Of bitmaps, those alone that are marked as forced."""
    timescale: int
    """Ticks a second of the job's outputs."""


class CopyPayload(Value):
    """Of `copy`: the source's packets, as renditions that they already are."""

    input: InputFile
    stream: int
    codec: Codec
    first_pts: int
    """Of the picture's first frame, in ticks of the source."""
    timescale: int
    renditions: tuple[str, ...]
    """Their names."""
    frames: int
    span: Fraction
    """From the first frame to the last."""
    duration: Fraction
    plan: PlanPayload
    """Of the job, for planning it anew when the copy is not exact."""


class AudioPayload(Value):
    """Of `audio<n>`."""

    input: InputFile
    audio: AudioWork
    copy_of: SoundCopy | None = None
    """None encodes it."""
    duration: Fraction
    verify: Verify = Verify.SAMPLED


class ImagesPayload(Value):
    """Of `images`."""

    input: InputFile
    images: ImagesWork


class Beside(Value):
    """A file that lies beside the outputs, in the results (under `beside`) of whoever made it."""

    path: str
    """Relative to the workspace."""
    name: str
    """In the output folder."""
    what: str
    """In words, for the job's outputs."""
    kind: Literal["image", "subtitles"] = "image"


class FilePayload(Value):
    """One rendition: a file, or a folder of segments."""

    rendition: str
    path: str
    """Within the output folder; empty for an output that is one file."""
    codec: str
    width: int
    height: int
    color: Color = Color()
    """As it is to be stated; what is None is not."""
    light: Light | None = None
    max_bitrate: int | None = None
    copied: bool = False
    """By the task `copy`, in one piece."""
    chunks: tuple[Fraction, ...] | None = None
    """Durations of its chunks, where they begin at frames of its own rate; None: those of all."""


class SubtitlesPayload(Value):
    """Of `subtitles<n>`."""

    input: InputFile
    text: TextWork
    file: str | None = None
    """Its name beside the outputs, where it is to lie there."""


class TextPayload(TrackLabels):
    """Subtitles of every output file."""

    task: str
    """The one that takes them out of the source; its result's `path` is None where there is
    nothing to be shown."""
    form: TextForm


class SoundPayload(TrackLabels):
    """One sound of every output file."""

    task: str
    """The one that encodes it."""
    codec: str


class Described(Value):
    """What a file is to say of itself."""

    tags: dict[str, str] = Field(default_factory=dict)
    """By `spec.metadata.Tag`."""
    chapters: tuple[Chapter, ...] = ()
    """In seconds of the output."""


class FinishPayload(Value):
    """Of `finish`: join, put the sounds beside, verify, stage."""

    target: str
    folder: bool
    container: Container
    timescale: int
    files: tuple[FilePayload, ...]
    chunks: tuple[Fraction, ...]
    """Durations of the chunks that `encode0`, `encode1` … have made, in whole ticks of `timescale`
    but for the last one."""
    plan: PlanPayload | None = None
    """Of the job, for planning it anew when its chunks cannot be joined; None for one chunk."""
    sounds: tuple[SoundPayload, ...]
    """In their order in the files; players choose the one whose dispositions say `default`."""
    texts: tuple[TextPayload, ...] = ()
    packaging: Packaging | None = None
    """None makes files."""
    segments: tuple[int, ...] = ()
    """When those of a package begin, rising, in ticks of `timescale` from the first frame."""

    described: Described = Described()
    """Of files; packages say nothing."""
    beside: tuple[str, ...] = ()
    """Tasks that have made files for the output folder: `Beside`, in their results."""


class DirectPayload(Value):
    """What an encode needs to make the job's one file at once, sound and all."""

    finish: FinishPayload
    sound: AudioPayload | None
    plan: PlanPayload
    """Of the job, for planning it anew, in parts, when the file is not exact."""


class EncodePayload(Value):
    """Of `encode<n>`: one chunk in every rendition."""

    input: InputFile
    video: VideoWork
    start: Fraction
    """When its first frame is shown in the source."""
    frames: int
    """How many the chunk has, by the count of its packets."""
    countable: bool
    """That count is sure."""
    span: Fraction
    """From its first frame to its last."""
    duration: Fraction
    """From its first frame to the next chunk's, or to the end of the picture."""
    plan: PlanPayload | None = None
    """Of the job, for planning it anew when this chunk is not exact; None where it is not cut."""
    verify: Verify = Verify.SAMPLED
    direct: DirectPayload | None = None
    """All else of a job whose file is made at once; None where this makes a part of it."""


class PublishPayload(Value):
    """Of `publish`: what is staged and verified becomes visible."""

    staged: str
    """A path; relative to the workspace where the target is an object."""
    target: str
    outputs: tuple[OutputView, ...]


class ChunkScores(Value):
    """The renditions of one chunk, in the result of `measure<n>`."""

    width: int
    height: int
    """Of the pictures that were compared."""
    scores: dict[str, dict[Measure, Distribution]]
    """By the rendition's name; what could not be compared is missing."""


class EncodedFile(Value):
    """One rendition of one chunk, in the result of `encode<n>`."""

    path: str
    """Relative to the workspace."""
    frames: int
    span: Fraction
    times: str
    """SHA-256, in hex, of when its frames are shown, counted from the first."""
    extradata: str
    address: str = ""
    """By which it is kept for others; empty where it is not."""
    tries: int = 1
    """Encodes that it took until its bitrate was kept."""
