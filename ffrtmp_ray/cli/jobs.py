"""`ffrtmp jobs` and `ffrtmp job`: what was submitted, and all about one of them."""

from __future__ import annotations

import time
from itertools import islice
from typing import Annotated

import typer

from ffrtmp_ray.cli import render, terminal
from ffrtmp_ray.cli.options import ADDRESS, Address, AsJson, JobIdArgument
from ffrtmp_ray.client import Client
from ffrtmp_ray.core.model import JobState, Queue


def jobs(
    state: Annotated[
        list[JobState] | None,
        typer.Option(help="Only jobs in this state. May be given several times."),
    ] = None,
    queue: Annotated[
        list[Queue] | None,
        typer.Option(help="Only jobs of this queue. May be given several times."),
    ] = None,
    owner: Annotated[str | None, typer.Option(help="Only jobs of this owner.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Jobs to show at most.")] = 20,
    address: Address = ADDRESS,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first."""
    with Client(address) as farm:
        found = farm.jobs(states=state or (), queues=queue or (), owner=owner)
        listed = list(islice(found, limit))
    if as_json:
        terminal.print_json(listed)
    elif listed:
        terminal.stdout().print(render.jobs_table(listed, time.time()))
    else:
        terminal.stderr().print("There are no such jobs.")


def job(job_id: JobIdArgument, address: Address = ADDRESS, as_json: AsJson = False) -> None:
    """Show all about a job: progress, outputs, tasks, attempts, every change of its state."""
    with Client(address) as farm:
        found = farm.job(job_id)
    if as_json:
        terminal.print_json(found)
    else:
        terminal.stdout().print(render.job_details(found, time.time()))
