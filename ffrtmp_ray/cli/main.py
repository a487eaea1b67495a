"""`ffrtmp`: puts the commands together, and turns errors into one line and an exit code.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ffrtmp_ray.cli import terminal
from ffrtmp_ray.cli.backup import backup
from ffrtmp_ray.cli.change import change
from ffrtmp_ray.cli.control import cancel, pause, resume, retry
from ffrtmp_ray.cli.demo import demo
from ffrtmp_ray.cli.doctor import doctor
from ffrtmp_ray.cli.down import down
from ffrtmp_ray.cli.jobs import job, jobs
from ffrtmp_ray.cli.logs import logs
from ffrtmp_ray.cli.submit import submit
from ffrtmp_ray.cli.submit_many import submit_many
from ffrtmp_ray.cli.up import up
from ffrtmp_ray.cli.upload import upload
from ffrtmp_ray.cli.watch import watch
from ffrtmp_ray.cli.workers import drain, undrain, workers
from ffrtmp_ray.errors import FfrtmpError


class _Commands(TyperGroup):
    """An error that a person can do something about is a line, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except FfrtmpError as error:
            terminal.complain(error)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a defect's traceback is for a report: plain and whole
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ffrtmp {version('ffrtmp-ray')}")
        raise typer.Exit


@app.callback()
def main(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
) -> None:
    """A transcoding farm: FFmpeg jobs, scheduled across machines by Ray.

    Start one with `ffrtmp up`, give it work with `ffrtmp submit`, see it with `ffrtmp watch`.
    """


_PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "The farm": (up, down, demo, doctor, workers, drain, undrain, backup),
    "Files": (upload,),
    "Jobs": (submit, submit_many, jobs, job, watch, change, pause, resume, cancel, retry, logs),
}
"""The commands as the help shows them."""

for panel, commands in _PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)


def run() -> None:
    """The console script."""
    app()
