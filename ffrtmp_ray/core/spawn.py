"""New tasks of a job, from what a submission or a finished task says of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from ffrtmp_ray.core.model import Job, JobId, NewTask, Task, TaskId, TaskState
from ffrtmp_ray.errors import InvalidRequest


def task_id(job_id: JobId, name: str, plan: int) -> TaskId:
    """`<job>-<name>`, and `<job>-<name>-p<plan>` when the job was planned anew."""
    return f"{job_id}-{name}-p{plan}" if plan else f"{job_id}-{name}"


def build(job: Job, additions: Sequence[NewTask], known: Mapping[TaskId, Task]) -> list[Task]:
    """The tasks that `additions` become in the current plan of `job`, ready or waiting.

    `known` has all earlier tasks of the job. A name to wait for means the task of this addition,
    else of the current plan, else the newest of an older plan that has succeeded. Raises
    InvalidRequest when a name is used twice or means no task, or when tasks wait for each other
    in a circle.
    """
    ids = {new.name: task_id(job.id, new.name, job.plan) for new in additions}
    if len(ids) < len(additions) or any(each in known for each in ids.values()):
        raise InvalidRequest(f"two tasks have the same name, among {', '.join(ids)}", where=job.id)
    _refuse_circles(job, additions)
    return [_task(job, new, ids, known) for new in additions]


def _task(job: Job, new: NewTask, ids: Mapping[str, TaskId], known: Mapping[TaskId, Task]) -> Task:
    waits_for = frozenset(
        ids.get(name) or _earlier(job, name, new.name, known) for name in new.waits_for
    )
    ready = all(each in known and _succeeded(known[each]) for each in waits_for)
    return Task(
        id=ids[new.name],
        job_id=job.id,
        name=new.name,
        kind=new.kind,
        needs=new.needs,
        state=TaskState.READY if ready else TaskState.WAITING,
        waits_for=waits_for,
        weight=new.weight,
        timeout_seconds=new.timeout_seconds,
        final=new.final,
        plan=job.plan,
    )


def _earlier(job: Job, name: str, waiting: str, known: Mapping[TaskId, Task]) -> TaskId:
    for plan in range(job.plan, -1, -1):
        found = known.get(task_id(job.id, name, plan))
        if found is not None and (plan == job.plan or _succeeded(found)):
            return found.id
    raise InvalidRequest(f"task {waiting} waits for {name}, which is no task", where=job.id)


def _succeeded(task: Task) -> bool:
    return task.state is TaskState.SUCCEEDED


def _refuse_circles(job: Job, additions: Sequence[NewTask]) -> None:
    try:
        TopologicalSorter({new.name: new.waits_for for new in additions}).prepare()
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        raise InvalidRequest(f"tasks wait for each other: {circle}", where=job.id) from None
