"""How `ffrtmp demo` shows jobs: bars on a terminal, plain lines elsewhere. Asks nobody anything."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ffrtmp_ray.cli import formats
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.views import JobDetail


class View(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    def show(self, job: JobDetail) -> None:
        """The job as it is now; called again and again."""
        ...


def view_for(console: Console) -> View:
    return Bars(console) if console.is_terminal else Lines(console)


def title(job: JobDetail) -> str:
    return f"{Path(job.input).name} -> {Path(job.output).name}"


def place(job: JobDetail) -> str:
    return f"{job.queue}/{job.priority}"


class Bars:
    """One bar a job, each redrawn in its place."""

    def __init__(self, console: Console) -> None:
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            TextColumn("[dim]{task.fields[place]}[/]"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            console=console,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, job: JobDetail) -> None:
        if job.id not in self._bars:
            self._bars[job.id] = self._progress.add_task(
                title(job), total=100, place=place(job), state=job.state
            )
        bar = self._bars[job.id]
        self._progress.update(bar, completed=job.progress or 0, state=_state(job))
        if job.state.terminal:
            self._progress.stop_task(bar)


class Lines:
    """A line when a job's state changes, and at each quarter of its way."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._start = time.monotonic()
        self._seen: dict[str, tuple[JobState, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        return None

    def show(self, job: JobDetail) -> None:
        now = (job.state, int((job.progress or 0) // 25))
        if self._seen.get(job.id) == now:
            return
        self._seen[job.id] = now
        at = time.monotonic() - self._start
        line = f"{at:6.1f} s  {title(job)}  [{place(job)}]  {_state(job)}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


def _state(job: JobDetail) -> str:
    if job.state is JobState.PROCESSING and job.speed:
        return f"{job.state}, {job.progress or 0:.0f} % at {job.speed:.1f}x"
    return str(job.state)


def report(jobs: Iterable[JobDetail]) -> list[str]:
    """For each job: input, output, time, speed, and every file with its size."""
    lines = []
    for job in jobs:
        began = encoding_began(job)
        seconds = (job.finished_at or began) - began
        media = max((output.duration_seconds or 0 for output in job.outputs), default=0)
        speed = f", {media / seconds:.1f}x real time" if seconds > 0 and media else ""
        waited = began - job.submitted_at
        lines += [
            f"{title(job)}  [{place(job)}]",
            f"    input   {job.input}",
            f"    time    {seconds:.1f} s{speed}, after {waited:.1f} s of waiting",
        ]
        for output in job.outputs:
            what = ", ".join(part for part in (output.video, output.audio) if part)
            lines.append(f"    output  {output.path}  {formats.size(output.bytes)}  {what}")
    return lines


def encoding_began(job: JobDetail) -> float:
    """When its first encode started (its plan has run long before, on a busy farm)."""
    starts = [
        attempt.started_at
        for task in job.tasks
        if task.kind == "encode"
        for attempt in task.attempts
        if attempt.started_at is not None
    ]
    return min(starts, default=job.started_at or job.submitted_at)
