"""`ffrtmp watch`: jobs as they go on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from rich.live import Live

from ffrtmp_ray.cli import render, terminal
from ffrtmp_ray.cli.options import ADDRESS, Address, AsJson
from ffrtmp_ray.client import Client
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.views import JobView

UNFINISHED = tuple(state for state in JobState if not state.terminal)


def watch(
    job_ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Ids of jobs; without any, all unfinished ones."),
    ] = None,
    interval: Annotated[float, typer.Option(min=0.01, help="Seconds from look to look.")] = 1.0,
    address: Address = ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Follow jobs until all of them have ended; exit code 1 when one was not completed.

    With --json, one line for each change of a job.
    """
    with Client(address) as farm:
        looks = _looks(farm, job_ids or (), interval)
        last = _as_lines(looks) if as_json else _as_table(looks)
    if any(job.state is not JobState.COMPLETED for job in last):
        raise typer.Exit(1)


def _looks(farm: Client, job_ids: Sequence[str], interval: float) -> Iterator[list[JobView]]:
    """The jobs at each look; the last time when none of them is unfinished."""
    known: dict[str, JobView] = {}
    while True:
        fresh: dict[str, JobView] = {}
        if not job_ids:
            fresh = {job.id: job for job in farm.jobs(states=UNFINISHED)}
        for job_id in job_ids or known:
            ended = job_id in known and known[job_id].state.terminal
            if job_id not in fresh and not ended:
                fresh[job_id] = farm.job(job_id)
        known |= fresh
        yield list(known.values())
        if all(job.state.terminal for job in known.values()):
            return
        time.sleep(interval)


def _as_lines(looks: Iterator[list[JobView]]) -> list[JobView]:
    seen: dict[str, JobView] = {}
    for look in looks:
        for job in look:
            # a detail holds more than a listing does, and its tasks' news are none of the job's
            view = JobView.model_validate(job.model_dump(include=set(JobView.model_fields)))
            if seen.get(job.id) != view:
                seen[job.id] = view
                terminal.print_json(view, one_line=True)
    return list(seen.values())


def _as_table(looks: Iterator[list[JobView]]) -> list[JobView]:
    console = terminal.stdout()
    look: list[JobView] = []
    with Live(console=console, auto_refresh=False) as live:
        for look in looks:
            live.update(render.jobs_table(look, time.time()), refresh=True)
    if not look:
        terminal.stderr().print("There are no unfinished jobs.")
    return look
