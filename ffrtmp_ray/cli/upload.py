"""`ffrtmp upload`: sends a file of this machine to the farm."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

from ffrtmp_ray.cli import terminal
from ffrtmp_ray.cli.options import ADDRESS, Address, AsJson
from ffrtmp_ray.client import Client

File: TypeAlias = Annotated[
    Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, show_default=False)
]
UploadName: TypeAlias = Annotated[
    str | None, typer.Option(help="What it is called on the farm.", show_default="as FILE is")
]
Resume: TypeAlias = Annotated[
    bool, typer.Option("--resume", help="Go on with an upload of the same file that broke off.")
]


def upload(
    file: File,
    name: UploadName = None,
    resume: Resume = False,
    address: Address = ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Send FILE to the farm, and print what a job's INPUT says to read it.

    A broken connection is taken up again, for a minute; --resume does so later.
    """
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Client(address) as farm, Progress(*columns, console=terminal.stderr()) as shown:
        bar = shown.add_task("", total=file.stat().st_size)
        view = farm.upload(
            file, name, resume=resume, progress=lambda sent: shown.update(bar, completed=sent)
        )
    if as_json:
        terminal.print_json(view)
    else:
        typer.echo(view.input)
