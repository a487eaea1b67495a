"""`ffrtmp workers`, `drain` and `undrain`: who does the work, and who gets no more of it."""

from __future__ import annotations

import typer

from ffrtmp_ray.cli import render, terminal
from ffrtmp_ray.cli.options import ADDRESS, Address, AsJson, WorkerIdArguments
from ffrtmp_ray.client import Client
from ffrtmp_ray.errors import CallerError
from ffrtmp_ray.views import WorkerView


def workers(address: Address = ADDRESS, as_json: AsJson = False) -> None:
    """List the workers: what they have, what they do, how busy their machines are."""
    with Client(address) as farm:
        found = farm.workers()
    if as_json:
        terminal.print_json(found)
    elif found:
        terminal.stdout().print(render.workers_table(found))
    else:
        terminal.stderr().print("There are no workers.")


def drain(
    worker_ids: WorkerIdArguments, address: Address = ADDRESS, as_json: AsJson = False
) -> None:
    """Give these workers nothing new; what they have they finish."""
    _drain(worker_ids, True, address, as_json)


def undrain(
    worker_ids: WorkerIdArguments, address: Address = ADDRESS, as_json: AsJson = False
) -> None:
    """Give drained workers work again."""
    _drain(worker_ids, False, address, as_json)


def _drain(worker_ids: list[str], on: bool, address: str, as_json: bool) -> None:
    """Every worker gets its turn; one that is not there is named, and makes the exit code 1."""
    done: list[WorkerView] = []
    with Client(address) as farm:
        for worker_id in worker_ids:
            try:
                done.append(farm.drain(worker_id, on=on))
            except CallerError as error:
                terminal.complain(error)
    if as_json:
        terminal.print_json(done)
    else:
        for worker in done:
            typer.echo(f"{worker.id} {worker.state}")
    if len(done) < len(worker_ids):
        raise typer.Exit(1)
