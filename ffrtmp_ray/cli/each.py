"""Asks the same of several jobs or workers. Knows no command."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import typer

from ffrtmp_ray.cli import terminal
from ffrtmp_ray.client import Client
from ffrtmp_ray.errors import CallerError
from ffrtmp_ray.views import JobDetail, WorkerView

View = TypeVar("View", JobDetail, WorkerView)


def each_of(ids: list[str], do: Callable[[Client, str], View], address: str, as_json: bool) -> None:
    """Every one gets its turn; one that refuses or is not there is named, and makes the exit
    code 1."""
    done: list[View] = []
    with Client(address) as farm:
        for each in ids:
            try:
                done.append(do(farm, each))
            except CallerError as error:
                terminal.complain(error)
    if as_json:
        terminal.print_json(done)
    else:
        for view in done:
            typer.echo(f"{view.id} {view.state}")
    if len(done) < len(ids):
        raise typer.Exit(1)
