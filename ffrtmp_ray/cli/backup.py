"""`ffrtmp backup`: a copy of the database, while the farm runs or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ffrtmp_ray.cli.options import AsJson, StateDir
from ffrtmp_ray.cli.up import settings_with


def backup(
    file: Annotated[
        Path, typer.Argument(help="The copy; must not be there yet.", resolve_path=True)
    ],
    state_dir: StateDir = None,
    as_json: AsJson = False,
) -> None:
    """Copy the farm's SQLite database to FILE. The farm may run meanwhile.

    To go back to it: end the farm, put FILE in place of the database, and remove the files beside
    that whose names end in -wal and -shm.
    """
    # Not at the head: a database's layers take a second that other commands do not need.
    from ffrtmp_ray.store.backup import backup as copy

    size = copy(settings_with(state_dir=state_dir).database_url, file)
    if as_json:
        typer.echo(json.dumps({"file": str(file), "bytes": size}))
    else:
        typer.echo(f"The database is copied to {file} ({size:,} bytes).")
