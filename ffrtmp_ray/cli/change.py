"""`ffrtmp change`: another place in the order, or other labels, for unfinished jobs."""

from __future__ import annotations

from typing import Annotated

import typer

from ffrtmp_ray.cli.each import each_of
from ffrtmp_ray.cli.options import ADDRESS, Address, AsJson, JobIdArguments, Labels, labels
from ffrtmp_ray.core.model import Priority, Queue


def change(
    job_ids: JobIdArguments,
    queue: Annotated[Queue | None, typer.Option(help="The queue to be in.")] = None,
    priority: Annotated[Priority | None, typer.Option(help="Within the queue.")] = None,
    label: Labels = None,
    no_labels: Annotated[
        bool, typer.Option("--no-labels", help="Remove the labels that it has.")
    ] = False,
    address: Address = ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Give unfinished jobs another queue or priority, or other labels in place of theirs."""
    if label and no_labels:
        raise typer.BadParameter("give either --label or --no-labels, one of the two")
    wanted = labels(label) if label else {} if no_labels else None
    if queue is None and priority is None and wanted is None:
        raise typer.BadParameter("give --queue, --priority, --label or --no-labels")
    each_of(
        job_ids,
        lambda farm, job_id: farm.change(job_id, queue=queue, priority=priority, labels=wanted),
        address,
        as_json,
    )
