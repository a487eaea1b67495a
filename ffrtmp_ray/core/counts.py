"""How many unfinished jobs wait or are active, kept up job by job."""

from __future__ import annotations

from collections import Counter

from ffrtmp_ray.core.model import Job, JobState, Priority, Queue

_WAITING = (JobState.PENDING, JobState.QUEUED)
_ACTIVE = (JobState.ASSIGNED, JobState.PROCESSING)


class JobCounts:
    def __init__(self) -> None:
        self.waiting: Counter[tuple[Queue, Priority]] = Counter()
        """Jobs in state `pending` or `queued`, by class."""
        self.waiting_of: Counter[str] = Counter()
        """The same by owner."""
        self.active = 0
        """Jobs in state `assigned` or `processing`."""

    def count(self, job: Job, by: int) -> None:
        """Add a job, or take it out with `by=-1`."""
        if job.state in _WAITING:
            self.waiting[job.queue, job.priority] += by
            self.waiting_of[job.owner] += by
            if not self.waiting_of[job.owner]:
                del self.waiting_of[job.owner]
        elif job.state in _ACTIVE:
            self.active += by
