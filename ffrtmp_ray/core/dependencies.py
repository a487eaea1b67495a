"""Which jobs wait for which, and which tasks. Knows nothing of what they are or do."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ffrtmp_ray.core.model import JobId, TaskId


class Dependencies:
    """Between unfinished jobs alone: whoever finishes is taken out, on either side."""

    def __init__(self) -> None:
        self._needed: dict[JobId, set[JobId]] = {}
        self._dependents: dict[JobId, dict[JobId, None]] = {}

    def __contains__(self, job_id: JobId) -> bool:
        """Whether a job waits for another."""
        return job_id in self._needed

    def __bool__(self) -> bool:
        return bool(self._needed or self._dependents)

    def needed_by(self, job_id: JobId) -> frozenset[JobId]:
        """The unfinished jobs that one waits for."""
        return frozenset(self._needed.get(job_id, ()))

    def has_dependents(self, job_id: JobId) -> bool:
        return job_id in self._dependents

    def add(self, job_id: JobId, needed: Iterable[JobId]) -> None:
        for other in needed:
            self._needed.setdefault(job_id, set()).add(other)
            self._dependents.setdefault(other, {})[job_id] = None

    def release(self, job_id: JobId) -> list[JobId]:
        """Have no job wait for this one any more. Returns those that did."""
        dependents = list(self._dependents.pop(job_id, ()))
        for each in dependents:
            needed = self._needed[each]
            needed.discard(job_id)
            if not needed:
                del self._needed[each]
        return dependents

    def forget(self, job_id: JobId) -> None:
        """A job waits for others no more: it is finished itself."""
        for other in self._needed.pop(job_id, ()):
            dependents = self._dependents[other]
            del dependents[job_id]
            if not dependents:
                del self._dependents[other]


class Blockers:
    """Of waiting tasks, how many of those that they wait for have not succeeded."""

    def __init__(self) -> None:
        self._counts: dict[TaskId, int] = {}
        self._dependents: dict[TaskId, list[TaskId]] = {}

    def __bool__(self) -> bool:
        return bool(self._counts or self._dependents)

    def watch(self, task_id: TaskId, blockers: Collection[TaskId]) -> None:
        self._counts[task_id] = len(blockers)
        for each in blockers:
            self._dependents.setdefault(each, []).append(task_id)

    def succeeded(self, task_id: TaskId) -> list[TaskId]:
        """The tasks that now wait for nothing more."""
        free = []
        for each in self._dependents.pop(task_id, ()):
            self._counts[each] -= 1
            if not self._counts[each]:
                free.append(each)
        return free

    def forget(self, task_id: TaskId) -> None:
        self._counts.pop(task_id, None)
        self._dependents.pop(task_id, None)
