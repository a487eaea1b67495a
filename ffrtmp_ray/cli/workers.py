"""`ffrtmp workers`, `drain` and `undrain`: who does the work, and who gets no more of it."""

from __future__ import annotations

from ffrtmp_ray.cli import render, terminal
from ffrtmp_ray.cli.each import each_of
from ffrtmp_ray.cli.options import ADDRESS, Address, AsJson, WorkerIdArguments
from ffrtmp_ray.client import Client


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
    each_of(worker_ids, lambda farm, each: farm.drain(each, on=True), address, as_json)


def undrain(
    worker_ids: WorkerIdArguments, address: Address = ADDRESS, as_json: AsJson = False
) -> None:
    """Give drained workers work again."""
    each_of(worker_ids, lambda farm, each: farm.drain(each, on=False), address, as_json)
