"""How many unfinished jobs wait or are active, kept up job by job."""

from __future__ import annotations

from typing import Final

from ffrtmp_ray.core.model import Job, JobState, Priority, Queue

_PENDING: Final = JobState.PENDING
_QUEUED: Final = JobState.QUEUED
_ASSIGNED: Final = JobState.ASSIGNED
_PROCESSING: Final = JobState.PROCESSING


class JobCounts:
    def __init__(self) -> None:
        self.waiting: dict[tuple[Queue, Priority], int] = {}
        """Jobs in state `pending` or `queued`, by class."""
        self.waiting_of: dict[str, int] = {}
        """The same by owner; none has 0."""
        self.total = 0
        """The same of all."""
        self.active = 0
        """Jobs in state `assigned` or `processing`."""

    def count(self, job: Job, by: int) -> None:
        """Add a job, or take it out with `by=-1`."""
        state = job.state
        if state is _QUEUED or state is _PENDING:
            self.total += by
            kind = (job.queue, job.priority)
            self.waiting[kind] = self.waiting.get(kind, 0) + by
            owner = job.owner
            left = self.waiting_of.get(owner, 0) + by
            if left:
                self.waiting_of[owner] = left
            else:
                del self.waiting_of[owner]
        elif state is _ASSIGNED or state is _PROCESSING:
            self.active += by
