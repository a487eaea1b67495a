"""Jobs and workers as tables for people. Pure: from views to what rich prints."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ffrtmp_ray.cli import formats
from ffrtmp_ray.views import (
    JobDetail,
    JobView,
    OutputView,
    QualityView,
    TaskView,
    TransitionView,
    TunedView,
    WorkerView,
)

_STYLES = {
    "processing": "cyan",
    "running": "cyan",
    "ready": "cyan",
    "completed": "green",
    "succeeded": "green",
    "failed": "bold red",
    "paused": "yellow",
    "suspended": "yellow",
    "stopping": "yellow",
    "draining": "yellow",
    "canceled": "dim",
}


def state(name: str) -> Text:
    return Text(name, _STYLES.get(name, ""))


def jobs_table(jobs: Iterable[JobView], now: float) -> Table:
    table = _table(
        "job", "state", "queue", "priority", "progress", "speed", "time", "submitted", "output"
    )
    for job in jobs:
        table.add_row(
            job.id,
            state(job.state),
            job.queue,
            job.priority,
            formats.percent(job.progress),
            formats.speed(job.speed),
            _time(job),
            formats.ago(job.submitted_at, now),
            _remark(job) or job.output,
        )
    return table


def _time(job: JobView) -> str:
    """How long it took, or how long it will still take."""
    if job.finished_at is not None:
        return formats.duration(job.finished_at - job.submitted_at)
    if job.eta_seconds is not None:
        return f"{formats.duration(job.eta_seconds)} left"
    return formats.NOTHING


def _remark(job: JobView) -> Text | None:
    """What a person should know before the output's name."""
    if job.failure is not None and job.state.terminal:
        return Text(job.failure.reason, "red")
    if job.waiting:
        return Text(f"{job.output}  waits: {job.waiting}")
    return None


def job_details(job: JobDetail, now: float) -> RenderableType:
    """All that is known of one job, the most wanted first."""
    parts: list[RenderableType] = [_facts(job, now)]
    if job.outputs:
        parts += ["", results(job)]
    if job.tasks:
        parts += ["", _tasks(job.tasks)]
    if any(task.attempts for task in job.tasks):
        parts += ["", _attempts(job.tasks)]
    if job.transitions:
        parts += ["", _transitions(job.transitions)]
    return Group(*parts)


def _facts(job: JobDetail, now: float) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim")
    grid.add_column(overflow="fold")
    for name, value in _known_facts(job, now):
        grid.add_row(name, value)
    return grid


def _known_facts(job: JobDetail, now: float) -> Iterator[tuple[str, RenderableType]]:
    yield "job", job.id
    yield "state", state(job.state)
    yield "progress", formats.percent(job.progress)
    if job.fps is not None or job.speed is not None:
        yield "speed", f"{formats.speed(job.speed)}, {formats.fps(job.fps)}"
    if job.eta_seconds is not None:
        yield "left", formats.duration(job.eta_seconds)
    if job.waiting:
        yield "waits", job.waiting
    if job.failure is not None:
        yield "failure", Text(f"{job.failure.kind}: {job.failure.reason}", "red")
    for warning in job.warnings:
        yield "warning", Text(warning, "yellow")
    for found in job.tuned:
        yield f"crf of {found.rendition}", _found(found)
    yield "input", job.input
    yield "output", job.output
    yield "preset", job.preset or "a ladder of its own"
    yield "queue", f"{job.queue}, {job.priority} priority"
    yield "owner", job.owner
    if job.labels:
        yield "labels", ", ".join(f"{key}={value}" for key, value in sorted(job.labels.items()))
    yield from _times(job, now)


def _found(found: TunedView) -> str:
    probes = ", ".join(f"{probe.crf:g}: {probe.vmaf:g}" for probe in found.probes)
    return (
        f"{found.crf:g} for VMAF {found.target_vmaf:g}; {found.samples} samples had {found.vmaf:g} "
        f"(of {probes})"
    )


def _times(job: JobDetail, now: float) -> Iterator[tuple[str, RenderableType]]:
    """When it was to be done, and when it was."""
    if job.not_before is not None:
        yield "not before", formats.moment(job.not_before)
    if job.deadline is not None:
        missed = Text(f"{formats.moment(job.deadline)}, missed", "red")
        yield "deadline", missed if job.deadline_missed else formats.moment(job.deadline)
    if job.depends_on:
        yield "depends on", ", ".join(job.depends_on)
    yield (
        "submitted",
        f"{formats.moment(job.submitted_at)}, {formats.ago(job.submitted_at, now)}",
    )
    if job.started_at is not None:
        waited = formats.duration(job.started_at - job.submitted_at)
        yield "started", f"{formats.moment(job.started_at)}, after {waited}"
    if job.finished_at is not None:
        took = formats.duration(job.finished_at - job.submitted_at)
        yield "finished", f"{formats.moment(job.finished_at)}, after {took}"


def results(job: JobDetail) -> RenderableType:
    """What the job has made, and how good that is."""
    made = _outputs(job.outputs)
    return Group(made, "", _quality(job.quality)) if job.quality else made


def _quality(scores: Iterable[QualityView]) -> Table:
    table = _table("rendition", "measure", "mean", "harmonic mean", "1st percentile", "against")
    for score in scores:
        table.add_row(
            score.rendition,
            score.model or score.measure,
            f"{score.mean:g}",
            f"{score.harmonic_mean:g}",
            f"{score.percentile_1:g}",
            f"{score.frames} frames, {score.compared_at}",
        )
    return table


def _outputs(outputs: Iterable[OutputView]) -> Table:
    table = _table("output", "size", "duration", "video", "audio")
    for output in outputs:
        table.add_row(
            output.path,
            formats.size(output.bytes),
            formats.duration(output.duration_seconds),
            output.video or output.image or formats.NOTHING,
            output.audio or formats.NOTHING,
        )
    return table


def _tasks(tasks: Iterable[TaskView]) -> Table:
    table = _table("task", "kind", "state", "progress", "speed", "attempts", "remark")
    for task in tasks:
        remark = task.failure.reason if task.failure is not None else task.waiting
        table.add_row(
            task.name,
            task.kind,
            state(task.state),
            formats.percent(task.progress),
            formats.speed(task.speed),
            str(len(task.attempts)),
            remark or "",
        )
    return table


def _attempts(tasks: Iterable[TaskView]) -> Table:
    table = _table("attempt", "worker", "placed", "started after", "ran for", "outcome")
    for attempt in (attempt for task in tasks for attempt in task.attempts):
        started, ended = attempt.started_at, attempt.ended_at
        table.add_row(
            attempt.id,
            attempt.worker,
            formats.moment(attempt.placed_at),
            formats.duration(None if started is None else started - attempt.placed_at),
            formats.duration(None if started is None or ended is None else ended - started),
            attempt.outcome or "runs",
        )
    return table


def _transitions(transitions: Iterable[TransitionView]) -> Table:
    table = _table("at", "from", "to", "reason", "who")
    for change in transitions:
        source = state(change.source) if change.source is not None else Text("")
        table.add_row(
            formats.moment(change.at), source, state(change.target), change.reason, change.who
        )
    return table


def workers_table(workers: Sequence[WorkerView]) -> Table:
    table = _table(
        "worker",
        "host",
        "device",
        "state",
        "CPUs",
        "GPUs",
        "busy",
        "memory",
        "heard",
        "jobs",
    )
    for worker in workers:
        heard = worker.heartbeat_age_seconds
        table.add_row(
            worker.id,
            worker.hostname,
            worker.device,
            state(worker.state),
            f"{worker.cpus_free} of {worker.cpus} free",
            f"{worker.gpu_sessions_free} of {worker.gpu_sessions} free"
            if worker.gpu_sessions
            else formats.NOTHING,
            formats.percent(worker.cpu_percent),
            formats.size(worker.memory_bytes),
            f"{formats.duration(heard)} ago" if heard is not None else formats.NOTHING,
            ", ".join(worker.jobs),
        )
    return table


def _table(*columns: str) -> Table:
    """The first column, an id or a path, is never cut: people copy it."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    first, *others = columns
    table.add_column(first, overflow="fold", no_wrap=False)
    for column in others:
        table.add_column(column, overflow="fold")
    return table
