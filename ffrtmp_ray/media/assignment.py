"""What a worker is given to do, and the ways in which it can end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ffrtmp_ray.core.model import AttemptId, Document, Failure, JobId, NewTask, TaskId


@dataclass(frozen=True, slots=True)
class Assignment:
    """One attempt at one task, with all that is needed to do it."""

    attempt_id: AttemptId
    task_id: TaskId
    job_id: JobId
    kind: str
    """plan, tune, encode, measure, audio, finish or publish."""
    payload: Document
    results: Mapping[str, Document] = field(default_factory=dict)
    """What the tasks it waited for have handed over, by task name."""
    cpus: int = 0
    """Granted; 0 for light tasks."""
    gpu: int | None = None
    """Index of the granted GPU; None runs on CPUs."""
    timeout_seconds: float | None = None
    farm_cpus: int = 0
    """Of all workers together, by which a plan sizes its chunks; 0 where nobody has counted."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    result: Document = field(default_factory=dict)
    spawn: tuple[NewTask, ...] = ()


@dataclass(frozen=True, slots=True)
class Replaced:
    """The job must go on with other tasks; its unfinished ones are canceled."""

    reason: str
    spawn: tuple[NewTask, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    failure: Failure


@dataclass(frozen=True, slots=True)
class Stopped:
    """It ended because it was told to."""


Ended: TypeAlias = Succeeded | Replaced | Failed | Stopped
