"""Where the command line's words go: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import typer
from pydantic import BaseModel
from rich.console import Console

from ffrtmp_ray.errors import FfrtmpError

_UNLIMITED = 10_000
"""Columns of what is no terminal, so that nothing is cut from a pipe or a file."""


def stdout() -> Console:
    """For results that people read."""
    return _console(stderr=False)


def stderr() -> Console:
    """For progress and remarks, which are no results."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    # A path or a label is shown as it is, also where it looks like markup or an emoji's name.
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _UNLIMITED
    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)


def print_json(value: BaseModel | Sequence[BaseModel], *, one_line: bool = False) -> None:
    """The one thing that `--json` leaves on stdout."""
    plain: Any
    if isinstance(value, BaseModel):
        plain = value.model_dump(mode="json")
    else:
        plain = [each.model_dump(mode="json") for each in value]
    typer.echo(json.dumps(plain, ensure_ascii=False, indent=None if one_line else 2))


def complain(error: FfrtmpError) -> None:
    """One line: what was wrong, where, and what would be right."""
    typer.echo(f"error: {' '.join(str(error).split())}", err=True)
