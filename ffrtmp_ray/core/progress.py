"""How far a job is, from how far its tasks are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ffrtmp_ray.core.lifecycle import PLAN
from ffrtmp_ray.core.model import Task, TaskId, TaskState

ALMOST = 99.9
"""The most that an unfinished job shows: 100 means completed."""


def job_progress(tasks: Sequence[Task], fractions: Mapping[TaskId, float], floor: float) -> float:
    """Progress of an unfinished job in percent, 0 to ALMOST; 100 when all tasks have succeeded.

    `tasks` are all of the job; those of its newest plan count by their weights, succeeded ones
    whole and others by `fractions` (0 to 1). It is never below `floor`, what has been shown
    before. While a plan is unfinished nobody knows how much work there is, so only `floor` counts.
    """
    plan = max((task.plan for task in tasks), default=0)
    current = [task for task in tasks if task.plan == plan]
    if current and all(task.state is TaskState.SUCCEEDED for task in current):
        return 100.0
    floor = min(max(floor, 0.0), ALMOST)
    total = sum(task.weight for task in current)
    if total <= 0 or any(_is_planning(task) for task in current):
        return floor
    done = sum(task.weight * _fraction(task, fractions) for task in current)
    return min(max(floor, 100.0 * done / total), ALMOST)


def _is_planning(task: Task) -> bool:
    return task.kind == PLAN and task.state is not TaskState.SUCCEEDED


def _fraction(task: Task, fractions: Mapping[TaskId, float]) -> float:
    if task.state is TaskState.SUCCEEDED:
        return 1.0
    return min(max(fractions.get(task.id, 0.0), 0.0), 1.0)
