"""`ffrtmp doctor`: what this machine lacks, and how to get it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

import typer
from rich.table import Table
from rich.text import Text

from ffrtmp_ray.cli import terminal
from ffrtmp_ray.cli.machine_checks import Finding, Level, findings
from ffrtmp_ray.cli.options import AsJson, StateDir
from ffrtmp_ray.cli.up import settings_with

COLOURS = {Level.OK: "green", Level.NOTE: "yellow", Level.MISSING: "bold red"}


def doctor(state_dir: StateDir = None, as_json: AsJson = False) -> None:
    """Look at what this machine has and lacks. Exits with 1 when something needed is missing."""
    found = asyncio.run(findings(settings_with(state_dir=state_dir)))
    healthy = all(finding.level is not Level.MISSING for finding in found)
    if as_json:
        typer.echo(json.dumps({"ok": healthy, "findings": [asdict(each) for each in found]}))
    else:
        terminal.stdout().print(table(found))
        typer.echo("All that is needed is here." if healthy else "Something needed is missing.")
    if not healthy:
        raise typer.Exit(1)


def table(found: list[Finding]) -> Table:
    shown = Table(box=None, pad_edge=False)
    for heading in ("", "", "found", "how to get it"):
        shown.add_column(heading, overflow="fold")
    for finding in found:
        level = Text(finding.level, COLOURS[finding.level])
        shown.add_row(finding.name, level, finding.found, finding.remedy or "")
    return shown
