"""The values of the engine: jobs, tasks, attempts, workers and what they need of each other.

Frozen values only; whoever changes one makes a new one with `msgspec.structs.replace`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeAlias

from msgspec import Struct, field
from msgspec.structs import astuple

JobId: TypeAlias = str
TaskId: TypeAlias = str
"""`<job>-<name>`, unique in the system and safe as a file name."""
AttemptId: TypeAlias = str
"""`<task>-<epoch>-<n>`: the n-th try at a task, ordered in the scheduler's life `epoch`."""
WorkerId: TypeAlias = str
Document: TypeAlias = Mapping[str, Any]
"""JSON that the engine carries without looking inside."""


class Word(StrEnum):
    """One of a few words, hashed as the text that it is: `Enum` hashes in Python, by which every
    look into a table would take three times as long. In Python 3.11 `TaskState.READY` takes ten
    times as long as a name of the module: what runs for every decision has such names."""

    __hash__ = str.__hash__


class Queue(Word):
    LIVE = "live"
    DEFAULT = "default"
    BATCH = "batch"


class Priority(Word):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class JobState(Word):
    PENDING = "pending"
    """Accepted, not yet planned."""
    QUEUED = "queued"
    """Has work, none of it placed."""
    ASSIGNED = "assigned"
    """A task is placed on a worker, none has started."""
    PROCESSING = "processing"
    """A task is running."""
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def terminal(self) -> bool:
        return self in _TERMINAL_JOBS


class TaskState(Word):
    WAITING = "waiting"
    """For other tasks of its job."""
    READY = "ready"
    DELAYED = "delayed"
    """Until `Task.not_before`."""
    PLACED = "placed"
    """Ordered from a worker that has not reported its start."""
    RUNNING = "running"
    SUSPENDED = "suspended"
    """Its processes are stopped (SIGSTOP) and keep their place."""
    STOPPING = "stopping"
    """Ordered to stop; holds its worker's resources until that is reported."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def terminal(self) -> bool:
        return self in _TERMINAL_TASKS

    @property
    def active(self) -> bool:
        """Whether an attempt of the task holds a worker's resources."""
        return self in _ACTIVE_TASKS


_TERMINAL_JOBS = (JobState.COMPLETED, JobState.FAILED, JobState.CANCELED)
_TERMINAL_TASKS = (TaskState.SUCCEEDED, TaskState.FAILED, TaskState.CANCELED)
_ACTIVE_TASKS = (
    TaskState.PLACED,
    TaskState.RUNNING,
    TaskState.SUSPENDED,
    TaskState.STOPPING,
)


class StopReason(Word):
    """Why an attempt was ordered to stop. None of these is a failure."""

    CANCELED = "canceled"
    PAUSED = "paused"
    PREEMPTED = "preempted"
    REPLACED = "replaced"
    """The job was planned anew, or another task of it has failed for good."""
    DRAINED = "drained"
    TIMED_OUT = "timed_out"
    """The job's own time is up: it has failed."""
    RETRIED = "retried"
    """Ordered to stop with a job that was then retried: the task starts again after it."""


class FailureKind(Word):
    BAD_INPUT = "bad_input"
    UNSUPPORTED = "unsupported"
    OUTPUT_EXISTS = "output_exists"
    OVER_LIMIT = "over_limit"
    """It takes more memory, CPU time or disk than one task may."""
    OUT_OF_DISK = "out_of_disk"
    OUT_OF_GPU_SESSIONS = "out_of_gpu_sessions"
    CRASHED = "crashed"
    STALLED = "stalled"
    TIMED_OUT = "timed_out"
    WORKER_LOST = "worker_lost"
    DEPENDENCY = "dependency"
    """A job that this one depends on failed or was canceled."""
    INEXACT = "inexact"
    """The output does not have the frames that the plan counted."""


class Failure(Struct, frozen=True, gc=False):
    """Why an attempt failed; `reason` is one sentence for a person."""

    kind: FailureKind
    reason: str


class Resources(Struct, frozen=True, gc=False, cache_hash=True):
    """What a task takes of a worker, or what a worker has.

    Light tasks take a slot in place of CPUs, so that a full farm still refuses bad input within
    moments: `plan_slots` for planning and publishing, `light_slots` for audio and finishing, which
    use a fraction of a CPU beside the encodes.
    """

    cpus: int = 0
    """Whole ones."""
    gpu_sessions: int = 0
    """Encoders of a GPU that run at a time."""
    gpu_memory_mib: int = 0
    plan_slots: int = 0
    light_slots: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def __sub__(self, other: Resources) -> Resources:
        return Resources(*(a - b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def within(self, other: Resources) -> bool:
        return all(a <= b for a, b in zip(astuple(self), astuple(other), strict=True))

    def helps(self, lack: Resources) -> bool:
        """Whether it has some of what is above 0 in `lack`."""
        pairs = zip(astuple(self), astuple(lack), strict=True)
        return any(has > 0 and lacks > 0 for has, lacks in pairs)


class Requirement(Struct, frozen=True, gc=False, cache_hash=True):
    """One way to do a task: resources of one worker that has all `capabilities`."""

    resources: Resources
    capabilities: frozenset[str] = frozenset()
    alone: bool = False
    """Nothing else may be on the worker: the task gets all that it has."""


class Needs(Struct, frozen=True, gc=False, cache_hash=True):
    """What a task asks of a worker: ways to do it, the best first. Never empty."""

    alternatives: tuple[Requirement, ...]


class NewTask(Struct, frozen=True, gc=False):
    """A task that a job starts with, or that another task adds when it succeeds."""

    name: str
    """Unique within its job and plan; letters and digits."""
    kind: str
    """What the worker does; the engine does not look at it."""
    needs: Needs
    payload: Document = field(default_factory=dict)
    waits_for: tuple[str, ...] = ()
    """Names of tasks of the same job, of this same addition or already there."""
    weight: float = 1.0
    """Share in the job's progress, in any unit that its siblings use (0 or more)."""
    timeout_seconds: float | None = None
    final: bool = False
    """Makes the job's result visible. A job with a final task can be neither paused nor
    canceled, and the task is neither suspended nor preempted: it is repeated until it ends."""


class Job(Struct, frozen=True, gc=False):
    """What a user submitted, as the engine sees it. The media part of it stays in the store."""

    id: JobId
    owner: str
    queue: Queue
    priority: Priority
    state: JobState
    submitted_at: float
    """Seconds since 1970, UTC; all times here are."""
    order: int
    """The place in the order of submission, unique, rising."""
    urgent: bool = False
    preemptible: bool = True
    held: bool = False
    """Paused by the user."""
    max_attempts: int = 3
    """Failed attempts that a task of this job may have."""
    timeout_seconds: float | None = None
    """From the first start of a task to the end of the job, pauses not counted."""
    not_before: float | None = None
    """No task of it starts earlier."""
    deadline: float | None = None
    """When its user wants it done. It changes nothing in the order; missing it is shown."""
    depends_on: tuple[JobId, ...] = ()
    """Jobs that must have completed before a task of it starts; it fails when one of them does."""
    plan: int = 0
    """How many times the job has been planned anew (re-plan or retry of `plan`)."""
    started_at: float | None = None
    paused_at: float | None = None
    """Since when it is held; None while it is not."""
    paused_seconds: float = 0.0
    """How long it was held before, since its first start."""
    finished_at: float | None = None
    failure: Failure | None = None


class Task(Struct, frozen=True, gc=False):
    """The unit of dispatch."""

    id: TaskId
    job_id: JobId
    name: str
    kind: str
    needs: Needs
    state: TaskState
    waits_for: frozenset[TaskId] = frozenset()
    """Unfinished and finished ones; the task is ready when all have succeeded."""
    weight: float = 1.0
    timeout_seconds: float | None = None
    final: bool = False
    plan: int = 0
    """The plan of the job that this task belongs to; tasks of older plans no longer count."""
    attempts: int = 0
    """Attempts ever ordered; the last one's number."""
    failures: int = 0
    """Failed attempts since the last explicit retry."""
    workers_lost: int = 0
    preemptions: int = 0
    not_before: float | None = None
    ready_at: float | None = None
    """Since when it waits for nothing but room; None while it is not ready."""
    stop_reason: StopReason | None = None
    failure: Failure | None = None
    """Of its last failed attempt."""


class Attempt(Struct, frozen=True, gc=False):
    """One try at a task. It holds `grant` on its worker until it has ended."""

    id: AttemptId
    task_id: TaskId
    job_id: JobId
    number: int
    worker_id: WorkerId
    grant: Requirement
    placed_at: float
    started_at: float | None = None
    ended_at: float | None = None
    outcome: str | None = None
    """How it ended: `succeeded`, `replaced`, a FailureKind or a StopReason; None while it runs."""


class Worker(Struct, frozen=True, gc=False):
    """An actor that holds one Ray reservation on one node."""

    id: WorkerId
    node_id: str
    hostname: str
    device: str
    """`cpu`, or `gpu<index>`."""
    capacity: Resources
    capabilities: frozenset[str] = frozenset()
    """Names of encoders that a trial encode has proven, and more of the kind."""
    draining: bool = False
    """Finishes what it has and gets nothing new."""


class Progress(Struct, frozen=True, gc=False):
    """How far a running attempt is. Never stored."""

    fraction: float = 0.0
    """0 to 1."""
    fps: float | None = None
    """Frames made a second."""
    speed: float | None = None
    """Seconds of media made a second."""


class GpuUsage(Struct, frozen=True, gc=False):
    index: int
    name: str
    utilization_percent: float
    encoder_percent: float
    memory_used_bytes: int
    memory_total_bytes: int
    temperature_celsius: float | None = None
    power_watts: float | None = None


class Usage(Struct, frozen=True, gc=False):
    """How busy a worker's node is. Never stored."""

    cpu_percent: float
    """Of all the node's CPUs together, 0 to 100."""
    memory_used_bytes: int
    memory_total_bytes: int
    worker_memory_bytes: int
    """Of the worker's process and the processes that it started."""
    load_1m: float
    gpus: tuple[GpuUsage, ...] = ()


class OwnerPolicy(Struct, frozen=True, gc=False):
    """What one owner may have."""

    weight: float = 1.0
    """Its share of the farm, beside others' that have work in the same class."""
    max_running: int | None = None
    """Tasks on workers at a time."""
    max_queued: int | None = None
    """Jobs in state `pending` or `queued`."""


class Policy(Struct, frozen=True, gc=False):
    """The engine's numbers. Times in seconds."""

    owners: Mapping[str, OwnerPolicy] = field(default_factory=dict)
    """Of those that are not as `other_owners`."""
    other_owners: OwnerPolicy = OwnerPolicy()
    max_queued: int | None = None
    """Jobs in state `pending` or `queued`, of all owners together."""
    max_wait: float = 600.0
    """A task that has been ready for longer gets a turn, whatever its class or owner."""
    turn_every: int = 10
    """Of so many placements outside the live queue, one is such a turn."""
    reserve_limit: float = 300.0
    """A worker is kept free for one large task at most this long."""
    least_charge: float = 1.0
    """A placed task counts as having had its resources for this long at least: so that an owner
    does not take all that comes free in one moment."""

    backoff_base: float = 1.0
    """A failed task is tried again after a random part of `backoff_base * 2**(failures - 1)`:
    full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)."""
    backoff_cap: float = 60.0
    alone_after_workers_lost: int = 2
    """A task under which this many workers were lost gets a worker for itself, so that it can
    take no other task along."""
    max_workers_lost: int = 3
    """A task under which this many workers were lost is taken for their killer and fails."""
    max_preemptions: int = 3
    """A task preempted so often gives way to live ones only."""
    suspend_limit: float = 300.0
    """A suspended attempt gives up its place after this time, whoever needs it."""


class Shares(Struct, frozen=True, gc=False):
    """What owners have had, as `core.accounts` counts it: CPU-seconds divided by the weight."""

    virtual_time: float = 0.0
    served: dict[str, float] = {}
    """By owner; any other one begins at `virtual_time`."""


class Snapshot(Struct, frozen=True, gc=False):
    """All that the engine must be given to go on after a restart: unfinished jobs only."""

    jobs: tuple[Job, ...] = ()
    tasks: tuple[Task, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    """Those that have not ended."""
    workers: tuple[Worker, ...] = ()
    shares: Shares = Shares()
