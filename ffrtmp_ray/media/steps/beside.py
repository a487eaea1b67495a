"""Files that other tasks have made for the output folder. Part of `finish`."""

from __future__ import annotations

import shutil
from pathlib import Path

from ffrtmp_ray.media.plan.payloads import Beside, FinishPayload
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.storage.urls import joined
from ffrtmp_ray.views import OutputView


def put_beside(step: Step, work: FinishPayload, staged: Path) -> tuple[OutputView, ...]:
    """Copy them there; who made them has verified them. Raises OSError."""
    views = []
    for task in work.beside:
        for made in step.assignment.results[task]["beside"]:
            file = Beside.model_validate(made)
            copy = staged / file.name
            shutil.copyfile(step.toolbox.workspace.absolute(file.path), copy)
            path = joined(work.target, file.name)
            views.append(OutputView(path=path, bytes=copy.stat().st_size, **{file.kind: file.what}))
    return tuple(views)
