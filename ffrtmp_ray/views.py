"""What callers see of jobs, tasks and workers: over HTTP, in Python and on the command line.

Times are seconds since 1970 (UTC); durations are seconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ffrtmp_ray.core.model import FailureKind, JobState, Priority, Queue, TaskState


class View(BaseModel):
    model_config = ConfigDict(frozen=True)


class FailureView(View):
    kind: FailureKind
    reason: str


class LoudnessView(View):
    """How loud one sound was, and what it was made."""

    before_lufs: float = Field(description="Over the whole sound (EBU R128).")
    before_true_peak: float = Field(description="In dBTP.")
    before_range: float = Field(description="In LU.")
    target_lufs: float
    compressed: bool = Field(
        description="Its dynamics were reduced, as one gain would have had it exceed the true peak."
    )


class OutputView(View):
    """One published file, or a folder of segments."""

    path: str
    bytes: int
    duration_seconds: float | None = None
    video: str | None = None
    """Codec and size, as `h264 1280x720`."""
    image: str | None = None
    """Format and size, as `jpeg 320x180`, of a still image; of a list of them `webvtt`."""
    audio: str | None = None
    """Codec and channels, as `aac 2ch`; of several sounds with their languages."""
    subtitles: str | None = None
    """Codec and language of each, as `subrip eng, subrip fra`."""
    loudness: tuple[LoudnessView | None, ...] = Field(
        default=(), description="Of each sound, where it was made as loud as was wanted."
    )
    buffer_seconds: float | None = None
    """Of its `max_bitrate`, that a player must have buffered to play it over a line of that rate;
    measured on its packets. Two are meant. None where it has no `max_bitrate`."""
    tightened_chunks: int | None = None
    """Of its chunks, those that were encoded again, coarser, since they exceeded that."""


class QualityView(View):
    """A rendition beside what it was made of, by one measure; pooled from all of its frames."""

    rendition: str
    measure: str = Field(description="`vmaf`, `psnr` (luma, dB) or `ssim` (luma)")
    model: str | None = Field(description="VMAF's model, by libvmaf's name; none of other measures")
    compared_at: str = Field(description="Size of the source, to which the rendition is scaled.")
    frames: int
    mean: float
    harmonic_mean: float
    percentile_1: float = Field(
        description="The worst hundredth of the frames has this score or a lower one."
    )


class ProbeView(View):
    """Samples of a title, encoded by some crf."""

    crf: float
    vmaf: float


class TunedView(View):
    """The crf that was found for a rendition's `target_vmaf`."""

    rendition: str
    target_vmaf: float
    crf: float
    vmaf: float = Field(description="Of the samples by that crf: the mean of all their frames.")
    samples: int = Field(description="Parts of the title that were encoded.")
    probes: tuple[ProbeView, ...] = Field(description="In the order in which they were made.")


class AttemptView(View):
    id: str
    worker: str
    placed_at: float
    started_at: float | None = None
    ended_at: float | None = None
    outcome: str | None = None


class TaskView(View):
    id: str
    name: str
    kind: str
    state: TaskState
    progress: float = Field(description="0 to 100")
    fps: float | None = None
    speed: float | None = None
    failure: FailureView | None = None
    waiting: str | None = Field(default=None, description="Why it is not placed yet.")
    starts_in_seconds: float | None = Field(
        default=None,
        description="Until it starts, if tasks of its needs are placed as fast as lately; none "
        "where there is no telling.",
    )
    attempts: tuple[AttemptView, ...] = ()


class TransitionView(View):
    source: JobState | None
    target: JobState
    at: float
    reason: str
    who: str


class JobView(View):
    """A job as a listing shows it."""

    id: str
    state: JobState
    queue: Queue
    priority: Priority
    owner: str
    input: str
    output: str
    preset: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    submitted_at: float
    started_at: float | None = None
    finished_at: float | None = None
    progress: float | None = Field(
        description="0 to 100, and 100 only when completed; null once it has failed or was canceled"
    )
    fps: float | None = None
    speed: float | None = Field(default=None, description="Seconds of media made a second.")
    eta_seconds: float | None = None
    waiting: str | None = Field(default=None, description="Why nothing of it runs yet.")
    failure: FailureView | None = None
    not_before: float | None = None
    deadline: float | None = None
    deadline_missed: bool = Field(
        default=False, description="It was not completed by its deadline, or canceled after it."
    )
    depends_on: tuple[str, ...] = ()


class JobDetail(JobView):
    """A job with all that is known of it."""

    spec: dict[str, Any]
    outputs: tuple[OutputView, ...] = ()
    quality: tuple[QualityView, ...] = Field(
        default=(), description="Scores of the renditions, where the job asks for them."
    )
    tuned: tuple[TunedView, ...] = Field(
        default=(), description="What was found for renditions with a `target_vmaf`."
    )
    warnings: tuple[str, ...] = ()
    tasks: tuple[TaskView, ...] = ()
    transitions: tuple[TransitionView, ...] = ()


class JobList(View):
    jobs: tuple[JobView, ...]
    next_cursor: str | None = Field(
        default=None, description="Give it as `cursor` to get the next page."
    )


class UploadView(View):
    name: str
    received: int = Field(description="Bytes that have come.")
    complete: bool
    input: str = Field(description="What a job's `input` says to read it, once it is complete.")


class LogView(View):
    attempt: str
    text: str


class GpuView(View):
    index: int
    name: str
    utilization_percent: float
    encoder_percent: float
    memory_used_bytes: int
    memory_total_bytes: int
    temperature_celsius: float | None = None
    power_watts: float | None = None


class WorkerView(View):
    id: str
    hostname: str
    node: str
    device: str
    state: str = Field(description="`starting`, `ready` or `draining`")
    cpus: int
    cpus_free: int
    gpu_sessions: int = Field(description="Encoders that its GPU runs at a time; 0 without one.")
    gpu_sessions_free: int
    gpu_memory_mib: int
    gpu_memory_free_mib: int = Field(description="That is not set aside for what runs.")
    capabilities: tuple[str, ...]
    jobs: tuple[str, ...] = Field(description="Jobs that have a task here.")
    heartbeat_age_seconds: float | None = None
    cpu_percent: float | None = None
    memory_bytes: int | None = None
    node_memory_used_bytes: int | None = None
    node_memory_total_bytes: int | None = None
    load_1m: float | None = None
    gpu_usage: tuple[GpuView, ...] = ()


class ReadyView(View):
    ready: bool
    scheduler: bool = Field(description="The scheduler answers.")
    store: bool = Field(description="The store can be written.")
    workers: int
    epoch: int | None = None
    process: int | None = Field(
        default=None, description="Id of the scheduler's process, on the head node."
    )
    standby: bool = Field(
        default=False, description="Another scheduler is ready to take over from this one."
    )
    reasons: tuple[str, ...] = Field(default=(), description="What is missing, when not ready.")


class Action(StrEnum):
    """What a caller may do to a job that has been accepted."""

    PAUSE = "pause"
    """Suspends what runs and holds the rest."""
    RESUME = "resume"
    CANCEL = "cancel"
    """Ends the job for good; finished parts stay for a retry."""
    RETRY = "retry"
    """Takes up a failed or canceled job again, with what it has finished."""
