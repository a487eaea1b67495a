"""Takes submissions in for one life of the scheduler: numbers them, finds what they depend on.

Looks at no spec: gateways have admitted it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext

from msgspec.structs import replace

from ffrtmp_ray.cluster.life import Life
from ffrtmp_ray.core.messages import JobSubmitted
from ffrtmp_ray.core.model import Job, JobId, JobState
from ffrtmp_ray.errors import FfrtmpError, InvalidRequest, Problem

DEPENDS_ON = "depends_on"
"""The field that the engine and this name when they refuse a dependency."""
TRIES = 3
"""A job that another depends on may end between the look for it and the engine's: then the store
has it the next time."""


def numbered(event: JobSubmitted, order: int, now: float) -> JobSubmitted:
    """The submission with its place in the order and its time (seconds since 1970)."""
    return replace(event, job=replace(event.job, order=order, submitted_at=now))


class Intake:
    def __init__(self, life: Life, last_order: int) -> None:
        """`last_order` is the highest `Job.order` that was ever given."""
        self._life = life
        self._last_order = last_order

    async def submit(self, events: Sequence[JobSubmitted], *, again: bool) -> list[Job | Problem]:
        """Accept jobs, all in one commit; one that is refused costs the others nothing.

        `again` says that an earlier call with them may have got through: what it accepted is not
        taken twice.
        """
        depending = any(event.job.depends_on for event in events)
        # What jobs depend on is not removed between the look at it and the commit.
        async with self._life.finished_rows if depending else nullcontext():
            return await self._submit(events, again=again)

    async def _submit(self, events: Sequence[JobSubmitted], *, again: bool) -> list[Job | Problem]:
        answers: dict[JobId, Job | Problem] = {}
        if again:
            answers |= await self._stored(event.job.id for event in events)
        left = [event for event in events if event.job.id not in answers]
        for _ in range(TRIES):
            answers |= await self._try(left)
            left = [event for event in left if _lacks_dependency(answers[event.job.id])]
            if not left:
                break
        return [answers[event.job.id] for event in events]

    async def _try(self, events: Sequence[JobSubmitted]) -> dict[JobId, Job | Problem]:
        life = self._life
        finished = await self.finished({each for e in events for each in e.job.depends_on})
        now = life.clock.now()
        answers: dict[JobId, Job | Problem] = {}
        wanted = []
        for event in events:
            refusal = self._unknown(event.job, finished)
            if refusal is not None:
                answers[event.job.id] = refusal.problem
                continue
            self._last_order += 1
            states = {each: finished[each] for each in event.job.depends_on if each in finished}
            wanted.append(numbered(replace(event, finished=states), self._last_order, now))
        for event, result in zip(wanted, await life.apply(wanted), strict=True):
            answers[event.job.id] = result.problem if isinstance(result, FfrtmpError) else event.job
        return answers

    async def finished(self, job_ids: Iterable[JobId]) -> Mapping[JobId, JobState]:
        """The states of those jobs that have ended. It holds until the caller awaits."""
        asked = set(job_ids)
        if not asked:
            return {}
        stored = await self._stored(asked)
        return {job.id: job.state for job in stored.values() if job.state.terminal}

    async def _stored(self, job_ids: Iterable[JobId]) -> dict[JobId, Job]:
        store, asked = self._life.store, list(job_ids)

        def read() -> list[Job]:
            return [found.job for each in asked if (found := store.job(each)) is not None]

        return {job.id: job for job in await self._life.read_jobs(read, lambda jobs: jobs)}

    def _unknown(self, job: Job, finished: Mapping[JobId, JobState]) -> FfrtmpError | None:
        for job_id in job.depends_on:
            if job_id not in finished and self._life.engine.job(job_id) is None:
                return InvalidRequest(
                    f"there is no job {job_id}",
                    where=DEPENDS_ON,
                    remedy="submit that one first; `ffrtmp jobs` lists what there is",
                )
        return None


def _lacks_dependency(answer: Job | Problem) -> bool:
    return isinstance(answer, Problem) and answer.where == DEPENDS_ON
