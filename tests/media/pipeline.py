"""Runs all tasks of a job here, one after another: what the scheduler and a worker do on a farm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ffrtmp_ray.core.model import Document, NewTask
from ffrtmp_ray.media.assignment import Assignment, Ended, Succeeded
from ffrtmp_ray.media.plan import check_spec, first_task
from ffrtmp_ray.media.presets import resolve
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.media.tasks import TaskRun
from ffrtmp_ray.media.toolbox import Toolbox


@dataclass
class Outcome:
    """How each task ended, by name, in the order in which they ran."""

    ended: dict[str, Ended] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)

    @property
    def last(self) -> Ended:
        return next(reversed(self.ended.values()))

    @property
    def results(self) -> dict[str, Document]:
        return {n: e.result for n, e in self.ended.items() if isinstance(e, Succeeded)}

    @property
    def warnings(self) -> list[str]:
        return [text for result in self.results.values() for text in result.get("warnings", ())]


def assignment(
    task: NewTask, results: Mapping[str, Document], *, job: str = "job", cpus: int = 2
) -> Assignment:
    return Assignment(
        attempt_id=f"{job}-{task.name}-1-1",
        task_id=f"{job}-{task.name}",
        job_id=job,
        kind=task.kind,
        payload=task.payload,
        results={name: results[name] for name in task.waits_for},
        cpus=cpus if task.kind == "encode" else 0,
    )


async def run_job(spec: JobSpec, toolbox: Toolbox, *, until: str = "publish") -> Outcome:
    """Run a job's tasks until one does not succeed, or the one named `until` has."""
    resolved = resolve(spec)
    check_spec(resolved)
    waiting = [first_task(resolved, toolbox.settings)]
    outcome = Outcome()
    while waiting:
        task = next(t for t in waiting if set(t.waits_for) <= outcome.results.keys())
        waiting.remove(task)
        run = TaskRun(assignment(task, outcome.results), toolbox)
        ended = await run.run()
        outcome.ended[task.name], outcome.logs[task.name] = ended, run.log
        if not isinstance(ended, Succeeded) or task.name == until:
            break
        waiting += ended.spawn
    return outcome
