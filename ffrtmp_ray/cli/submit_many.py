"""`ffrtmp submit-many`: has the jobs of a file accepted, in as few commits as there can be."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from ffrtmp_ray.cli import terminal
from ffrtmp_ray.cli.options import ADDRESS, Address, AsJson
from ffrtmp_ray.client import Client
from ffrtmp_ray.errors import FfrtmpError, InvalidRequest, Problem, from_problem
from ffrtmp_ray.media.spec import MOST_IN_BATCH
from ffrtmp_ray.views import JobView

JobsFile: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="One job a line, each as JSON with the fields of POST /jobs; - is standard input.",
        show_default=False,
    ),
]


def submit_many(file: JobsFile, address: Address = ADDRESS, as_json: AsJson = False) -> None:
    """Submit all jobs of a file. Those that are refused are named by their lines.

    Paths are the farm's machines', and absolute.
    """
    lines = list(_lines(file))
    accepted: list[JobView] = []
    with Client(address) as farm:
        for start in range(0, len(lines), MOST_IN_BATCH):
            numbers, jobs = zip(*lines[start : start + MOST_IN_BATCH], strict=True)
            for number, answer in zip(numbers, farm.submit_many(jobs), strict=True):
                if isinstance(answer, Problem):
                    terminal.complain(_at_line(number, answer))
                else:
                    accepted.append(answer)
                    if not as_json:
                        typer.echo(f"{answer.id} {answer.state}")
    if as_json:
        terminal.print_json(accepted)
    if len(accepted) < len(lines):
        raise typer.Exit(1)


def _lines(file: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The jobs with their lines' numbers, from 1. Raises InvalidRequest before any is sent."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"cannot be read: {error}", where=file) from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            job = json.loads(line)
        except ValueError as error:
            raise InvalidRequest(f"line {number} is not JSON: {error}", where=file) from error
        if not isinstance(job, dict):
            raise InvalidRequest(
                f"line {number} is no job", where=file, remedy="one JSON object a line"
            )
        yield number, job


def _at_line(number: int, problem: Problem) -> FfrtmpError:
    where = f"line {number}" + (f", {problem.where}" if problem.where else "")
    return from_problem(Problem(problem.code, problem.message, where, problem.remedy))
