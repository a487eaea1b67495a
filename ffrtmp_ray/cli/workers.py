"""`ffrtmp workers`: who does the work."""

from __future__ import annotations

from ffrtmp_ray.cli import render, terminal
from ffrtmp_ray.cli.options import ADDRESS, Address, AsJson
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
