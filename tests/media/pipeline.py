"""Runs all tasks of a job here, one after another: what the scheduler and a worker do on a farm."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec import structs

from ffrtmp_ray.core.model import Document, FailureKind, NewTask
from ffrtmp_ray.media.assignment import Assignment, Ended, Failed, Replaced, Succeeded
from ffrtmp_ray.media.plan import check_spec, first_task
from ffrtmp_ray.media.presets import resolve
from ffrtmp_ray.media.spec import Codec, Effort, JobSpec, Ladder, Rendition
from ffrtmp_ray.media.tasks import TaskRun
from ffrtmp_ray.media.toolbox import Toolbox
from tests.support.waiting import until


@dataclass
class Outcome:
    """How each task ended, by name, in the order in which they ran."""

    ended: dict[str, Ended] = field(default_factory=dict)
    """Of the last plan."""
    replans: list[str] = field(default_factory=list)
    """Why it was planned anew."""
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
    task: NewTask,
    results: Mapping[str, Document],
    *,
    job: str = "job",
    cpus: int = 2,
    plan: int = 0,
    farm_cpus: int = 0,
) -> Assignment:
    task_id = f"{job}-{task.name}-p{plan}" if plan else f"{job}-{task.name}"
    return Assignment(
        attempt_id=f"{task_id}-1-1",
        task_id=task_id,
        job_id=job,
        kind=task.kind,
        payload=task.payload,
        results={name: results[name] for name in task.waits_for},
        cpus=cpus if task.kind == "encode" else 0,
        farm_cpus=farm_cpus,
    )


async def run_job(
    spec: JobSpec,
    toolbox: Toolbox,
    *,
    up_to: str = "publish",
    job: str = "job",
    farm_cpus: int = 0,
    apart: bool = False,
) -> Outcome:
    """Run a job's tasks until one does not succeed, or the one named `up_to` has; when one says
    so, the job goes on with other tasks. `apart` has picture and sound made in parts, as those of
    longer sources are."""
    resolved = resolve(spec)
    check_spec(resolved)
    waiting = [_first(resolved, toolbox, apart=apart)]
    outcome = Outcome()
    while waiting:
        task = next(t for t in waiting if set(t.waits_for) <= outcome.results.keys())
        waiting.remove(task)
        plan = len(outcome.replans)
        given = assignment(task, outcome.results, job=job, plan=plan, farm_cpus=farm_cpus)
        run = TaskRun(given, toolbox)
        ended = await run.run()
        if isinstance(ended, Replaced):
            outcome.replans.append(ended.reason)
            outcome.ended.clear()
            waiting = list(ended.spawn)
            continue
        outcome.ended[task.name], outcome.logs[task.name] = ended, run.log
        if not isinstance(ended, Succeeded) or task.name == up_to:
            break
        waiting += ended.spawn
    return outcome


def _first(resolved: JobSpec, toolbox: Toolbox, *, apart: bool) -> NewTask:
    task = first_task(resolved, toolbox.settings)
    return structs.replace(task, payload={**task.payload, "apart": apart})


def encodes_of(outcome: Outcome) -> list[str]:
    return [name for name in outcome.ended if name.startswith("encode")]


def rendition(name: str = "a", **fields: Any) -> Rendition:
    known = {"name": name, "codec": Codec.H264, "crf": 30, "effort": Effort.FAST}
    return Rendition(**(known | fields))


def spec(clip: Path, output: Path, *renditions: Rendition, **fields: Any) -> JobSpec:
    ladder = Ladder(renditions=renditions or (rendition(),), **fields)
    return JobSpec(input=str(clip), output=str(output), ladder=ladder)


async def tasks_of(spec: JobSpec, toolbox: Toolbox, *, apart: bool = True) -> dict[str, NewTask]:
    """The tasks that a job's plan spawns; `apart` as there, but for those who look at the parts."""
    plan = _first(resolve(spec), toolbox, apart=apart)
    ended = await TaskRun(assignment(plan, {}), toolbox).run()
    assert isinstance(ended, Succeeded), ended
    return {task.name: task for task in ended.spawn}


def failure_of(ended: Ended) -> tuple[FailureKind, str]:
    assert isinstance(ended, Failed), ended
    return ended.failure.kind, ended.failure.reason


def assert_published(outcome: Outcome, *paths: Path) -> Sequence[dict[str, Any]]:
    assert isinstance(outcome.last, Succeeded), (outcome.last, outcome.logs)
    outputs: list[dict[str, Any]] = outcome.last.result["outputs"]
    assert [output["path"] for output in outputs] == [str(path) for path in paths]
    for output in outputs:
        assert Path(output["path"]).stat().st_size == output["bytes"]
    return outputs


def listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def assert_nothing_left(toolbox: Toolbox, out: Path, *published: Path) -> None:
    assert listed(out) == sorted(published)
    """Of attempts; finished chunks are kept for other jobs."""
    workspace = toolbox.workspace.root
    assert not workspace.exists() or set(workspace.iterdir()) <= {toolbox.chunks.root}


async def eventually(condition: Callable[[], Any]) -> None:
    """Leaves the event loop to what is waited for."""
    await asyncio.to_thread(until, condition)
