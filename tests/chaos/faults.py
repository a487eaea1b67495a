"""The kinds of faults: whom each strikes, how, and by what it is seen that the farm has recovered.

Each looks for a target, and gives None when there is none at the moment.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.errors import Conflict
from tests.chaos.farm import WORK_NODES, ChaosFarm, is_gone, is_stopped
from tests.chaos.work import Work

HOLD_SECONDS = (0.5, 5.0)
"""How long a job stays paused: below and above the farm's limit on suspended ones."""

Condition = Callable[[], bool]


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Blow:
    """A fault about to happen."""

    kind: str
    what: str
    strike: Callable[[], None]
    milestones: Mapping[str, Condition]
    """What is true when the farm has recovered, by what it is called."""
    meanwhile: Callable[[], None] = _nothing
    """To be done at once, while the farm recovers."""
    then: Callable[[], None] = _nothing
    """To be done after that."""
    workers: frozenset[str] = frozenset()
    """The ids of those that it takes away."""
    attempts: frozenset[str] = frozenset()
    """Those that run and must not notice."""


def ffmpeg(farm: ChaosFarm, work: Work, rng: random.Random) -> Blow | None:
    found = farm.ffmpegs()
    if not found:
        return None
    target = rng.choice(found)
    place = _place(target, farm.settings.workspace_dir)
    if place is None:
        return None
    job_id, attempt_id = place

    def noticed() -> bool:
        tasks = farm.inside.get(job_id).tasks
        attempts = [a for task in tasks for a in task.attempts if a.id == attempt_id]
        return all(attempt.ended_at is not None for attempt in attempts)

    return Blow("ffmpeg", attempt_id, lambda: _signal(target.kill), {"noticed": noticed})


def worker(farm: ChaosFarm, work: Work, rng: random.Random) -> Blow | None:
    found = farm.workers()
    if not found:
        return None
    worker_id = rng.choice(sorted(found))
    target = found[worker_id]
    return Blow(
        "worker",
        worker_id,
        lambda: _signal(target.kill),
        {"noticed": _left(farm, worker_id), "replaced": _replaced(farm, worker_id)},
        workers=frozenset({worker_id}),
    )


def frozen_worker(farm: ChaosFarm, work: Work, rng: random.Random) -> Blow | None:
    """SIGSTOP: it neither dies nor answers, and its ffmpeg runs on. It wakes once it is lost."""
    found = farm.workers()
    if not found:
        return None
    worker_id = rng.choice(sorted(found))
    target = found[worker_id]
    noticed = _left(farm, worker_id)

    def gone() -> bool:
        if noticed():
            _signal(target.resume)
        return is_gone(target)

    return Blow(
        "frozen_worker",
        worker_id,
        lambda: _signal(target.suspend),
        {"noticed": noticed, "gone": gone, "replaced": _replaced(farm, worker_id)},
        workers=frozenset({worker_id}),
    )


def node(farm: ChaosFarm, work: Work, rng: random.Random) -> Blow | None:
    nodes = farm.work_nodes()
    if len(nodes) < WORK_NODES:
        return None  # one is about to join
    target = rng.choice(nodes)
    on_it = frozenset(w.id for w in farm.inside.workers() if w.node == target.node_id)

    def noticed() -> bool:
        return all(w.node != target.node_id for w in farm.inside.workers())

    return Blow(
        "node",
        f"node {target.node_id[:8]}",
        lambda: farm.kill_node(target),
        {
            "noticed": noticed,
            "API": lambda: work.jobs() is not None,
            "replaced": lambda: len(farm.workers()) >= WORK_NODES,
        },
        meanwhile=farm.add_node,
        workers=on_it,
    )


def scheduler(farm: ChaosFarm, work: Work, rng: random.Random) -> Blow | None:
    number = farm.inside.ready().process
    if number is None:
        return None  # one is about to take over
    process = psutil.Process(number)
    running = frozenset(
        attempt.id
        for view in farm.inside.list(states=[JobState.PROCESSING])
        for task in farm.inside.get(view.id).tasks
        for attempt in task.attempts
        if attempt.started_at is not None and attempt.ended_at is None
    )
    return Blow(
        "scheduler",
        f"process {number}",
        lambda: _signal(process.kill),
        _served(work),
        attempts=running,
    )


def frozen_scheduler(farm: ChaosFarm, work: Work, rng: random.Random) -> Blow | None:
    """SIGSTOP: it neither dies nor answers, until the one that stands by kills it."""
    ready = farm.inside.ready()
    if ready.process is None or not ready.standby:
        return None
    process = psutil.Process(ready.process)
    return Blow(
        "frozen_scheduler",
        f"process {process.pid}",
        lambda: _signal(process.suspend),
        {"gone": lambda: is_gone(process), **_served(work)},
    )


def replica(farm: ChaosFarm, work: Work, rng: random.Random) -> Blow | None:
    found = farm.actors("ServeReplica")
    if not found:
        return None
    target = rng.choice(found)
    return Blow(
        "replica",
        f"process {target.pid}",
        lambda: _signal(target.kill),
        {"API": lambda: work.jobs() is not None},
    )


def pause(farm: ChaosFarm, work: Work, rng: random.Random) -> Blow | None:
    found = [view.id for view in farm.inside.list(states=[JobState.PROCESSING])]
    if not found:
        return None
    job_id, hold = rng.choice(sorted(found)), rng.uniform(*HOLD_SECONDS)

    def strike() -> None:
        with suppress(Conflict):  # it has ended, or its output is just becoming visible
            farm.asked(lambda: farm.client.pause(job_id))

    def stopped() -> bool:
        if farm.inside.get(job_id).state is not JobState.PAUSED:
            return True
        return all(
            is_stopped(process)
            for process in farm.ffmpegs()
            if (_place(process, farm.settings.workspace_dir) or (None,))[0] == job_id
        )

    def go_on() -> None:
        time.sleep(hold)
        with suppress(Conflict):  # it was not paused any more
            farm.asked(lambda: farm.client.resume(job_id))

    return Blow("pause", job_id, strike, {"stopped": stopped}, then=go_on)


Kind = Callable[[ChaosFarm, Work, random.Random], Blow | None]

KINDS: Mapping[Kind, int] = {
    ffmpeg: 4,
    pause: 4,
    worker: 2,
    scheduler: 2,
    frozen_scheduler: 1,
    replica: 2,
    node: 1,
    frozen_worker: 1,
}
"""With how often each comes, of all."""


def _served(work: Work) -> dict[str, Condition]:
    """Whether a scheduler answers again."""
    return {
        "reads": lambda: work.jobs() is not None,
        "submits": lambda: work.submit() is not None,
    }


def _signal(send: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):  # it has ended by itself
        send()


def _left(farm: ChaosFarm, worker_id: str) -> Condition:
    return lambda: all(view.id != worker_id for view in farm.inside.workers())


def _replaced(farm: ChaosFarm, worker_id: str) -> Condition:
    """Whether all nodes have a worker again, and none is that one."""

    def replaced() -> bool:
        now = farm.workers()
        return worker_id not in now and len(now) >= len(farm.work_nodes())

    return replaced


def _place(process: psutil.Process, workspace: Path) -> tuple[str, str] | None:
    """The job and the attempt in whose folder of the workspace an ffmpeg reads or writes."""
    try:
        arguments = process.cmdline()
    except psutil.Error:
        return None
    for argument in arguments:
        path = Path(argument)
        if path.is_relative_to(workspace) and len(path.relative_to(workspace).parts) > 1:
            job_id, attempt_id = path.relative_to(workspace).parts[:2]
            return job_id, attempt_id
    return None
