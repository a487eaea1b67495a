"""`ffrtmp logs`: what a job's processes printed."""

from __future__ import annotations

import typer

from ffrtmp_ray.cli import terminal
from ffrtmp_ray.cli.options import ADDRESS, Address, AsJson, JobIdArgument
from ffrtmp_ray.client import Client


def logs(job_id: JobIdArgument, address: Address = ADDRESS, as_json: AsJson = False) -> None:
    """Print the end of what each attempt of a job has printed: ended ones first, oldest first."""
    with Client(address) as farm:
        kept = farm.logs(job_id)
    if as_json:
        terminal.print_json(kept)
        return
    for log in kept:
        typer.echo(f"==> {log.attempt} <==")
        typer.echo(log.text.rstrip("\n") or "(nothing)")
    if not kept:
        terminal.stderr().print("No attempt has begun yet.")
