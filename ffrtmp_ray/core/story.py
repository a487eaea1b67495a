"""What has happened lately, for the message of an error that must never be."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TypeAlias

from ffrtmp_ray.core.model import JobId, JobState, TaskState

LENGTH = 200
"""Changes of state that are remembered."""

Chapter: TypeAlias = tuple[float, str, JobState | TaskState, str]
"""When a job or a task, which, went to which state, and why."""


class Story:
    def __init__(self) -> None:
        self._chapters: deque[Chapter] = deque(maxlen=LENGTH)

    def add(self, at: float, subject: str, target: JobState | TaskState, why: str) -> None:
        self._chapters.append((at, subject, target, why))

    def of(self, job_id: JobId) -> Iterator[str]:
        """What has lately happened to a job and its tasks, in words."""
        for at, subject, target, why in self._chapters:
            if subject.startswith(job_id):
                yield f"{at:.3f} {subject} -> {target.value} ({why})"
