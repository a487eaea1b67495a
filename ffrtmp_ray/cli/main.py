"""`ffrtmp`: puts the commands together, and turns errors into one line and an exit code.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ffrtmp_ray.cli import terminal
from ffrtmp_ray.errors import FfrtmpError

PANELS: Mapping[str, tuple[str, ...]] = {
    "The farm": ("up", "down", "demo", "doctor", "workers", "drain", "undrain", "backup"),
    "Files": ("upload",),
    "Jobs": (
        "submit",
        "submit-many",
        "jobs",
        "job",
        "watch",
        "change",
        "pause",
        "resume",
        "cancel",
        "retry",
        "logs",
    ),
}
"""The commands as the help shows them: functions of the modules that have their names, or these."""
_MODULES = {
    **dict.fromkeys(("pause", "resume", "cancel", "retry"), "control"),
    **dict.fromkeys(("drain", "undrain"), "workers"),
    "job": "jobs",
}


class _Commands(TyperGroup):
    """An error that a person can do something about is a line, never a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except FfrtmpError as error:
            terminal.complain(error)
            raise typer.Exit(1) from error


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ffrtmp {version('ffrtmp-ray')}")
        raise typer.Exit


def _main(
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


def build(only: str | None = None) -> typer.Typer:
    """The command line with all its commands, or, where `only` names one, with that alone: to load
    what the others need takes longer than most of them."""
    app = typer.Typer(
        cls=_Commands,
        no_args_is_help=True,
        pretty_exceptions_enable=False,  # a defect's traceback is for a report: plain and whole
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_main)
    known = {name for names in PANELS.values() for name in names}
    for panel, names in PANELS.items():
        for name in names:
            if name == only or only not in known:
                app.command(rich_help_panel=panel)(_function(name))
    return app


def _function(command: str) -> Callable[..., None]:
    name = command.replace("-", "_")
    module = import_module(f"ffrtmp_ray.cli.{_MODULES.get(command, name)}")
    function: Callable[..., None] = getattr(module, name)
    return function


def run() -> None:
    """The console script."""
    build(next(iter(sys.argv[1:]), None))()
