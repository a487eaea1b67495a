"""`ffrtmp down`: ends what `ffrtmp up` has started, and nothing else."""

from __future__ import annotations

import json

import typer

from ffrtmp_ray.cli.options import AsJson, StateDir
from ffrtmp_ray.cli.up import say, settings_with
from ffrtmp_ray.cluster.bring_up import take_down


def down(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """End the farm of this machine. Its jobs go on with the next `up`.

    Ray is ended too if `up` has started it; of a cluster that `up` has joined, only our actors and
    our HTTP API end.
    """
    folder = settings_with(state_dir=state_dir).state_dir
    record = take_down(folder, say)
    if as_json:
        ended = {
            "ended": record is not None,
            "ray_ended": record is not None and record.started is not None,
            "ray": record.address if record else None,
        }
        typer.echo(json.dumps(ended))
    elif record is None:
        typer.echo(f"Nothing is up by the record of {folder}.")
    elif record.started is None:
        typer.echo(f"The farm is off the Ray cluster at {record.address}, which runs on.")
    else:
        typer.echo("The farm and its Ray have ended.")
