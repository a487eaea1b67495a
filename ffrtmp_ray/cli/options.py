"""Options and arguments that several commands have, each defined once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from ffrtmp_ray.address import DEFAULT_ADDRESS

# The environment is read here, and not in the settings: those are the farm's, and this may run on
# a machine that has no farm.
Address: TypeAlias = Annotated[
    str,
    typer.Option(
        "--address",
        envvar="FFRTMP_ADDRESS",
        help="The farm's URL, as `ffrtmp up` prints it.",
        metavar="URL",
    ),
]
AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")
]
StateDir: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        file_okay=False,
        resolve_path=True,
        help="Holds the database, the workspace and the record of what is up: one for each farm "
        "of this machine.",
        show_default="~/.ffrtmp",
    ),
]
JobIdArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="ID", help="The job's id.", show_default=False)
]
JobIdArguments: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="ID", help="Ids of jobs.", show_default=False)
]
WorkerIdArguments: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="ID", help="Ids of workers.", show_default=False)
]
Labels: TypeAlias = Annotated[
    list[str] | None, typer.Option(metavar="KEY=VALUE", help="May be given several times.")
]

ADDRESS = DEFAULT_ADDRESS


def labels(pairs: list[str]) -> dict[str, str]:
    """What `--label KEY=VALUE` has given. Raises typer.BadParameter for what is none."""
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"--label {pair}: should be KEY=VALUE")
        found[key] = value
    return found
