"""Follows one job to its end with a bar on stderr, or with a line per state where none can be."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from ffrtmp_ray.cli import formats, terminal
from ffrtmp_ray.client import Client
from ffrtmp_ray.views import JobDetail


def follow(farm: Client, job: JobDetail) -> JobDetail:
    """The job when it has ended. Raises what `Client.watch` raises."""
    console = terminal.stderr()
    return _bar(farm, job, console) if console.is_terminal else _lines(farm, job, console)


def _bar(farm: Client, job: JobDetail, console: Console) -> JobDetail:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>5.1f} %"),
        TextColumn("{task.fields[remark]}"),
    )
    with Progress(*columns, console=console, auto_refresh=False) as progress:
        bar = progress.add_task(job.state, total=100, remark="")
        now = job
        for now in farm.watch(job.id):
            progress.update(
                bar,
                description=now.state,
                completed=now.progress or 0,
                remark=_remark(now),
                refresh=True,
            )
    return now


def _remark(job: JobDetail) -> str:
    if job.waiting:
        return job.waiting
    if job.speed is None:
        return ""
    left = f", {formats.duration(job.eta_seconds)} left" if job.eta_seconds is not None else ""
    return f"{formats.speed(job.speed)}, {formats.fps(job.fps)}{left}"


def _lines(farm: Client, job: JobDetail, console: Console) -> JobDetail:
    said, now = None, job
    for now in farm.watch(job.id):
        if now.state != said:
            said = now.state
            console.print(f"{now.id} {now.state}")
    return now
