"""Does a finished file keep the bitrate that it was to keep? Part of `finish`."""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.core.model import Failure
from ffrtmp_ray.media.bucket import BUFFER_SECONDS
from ffrtmp_ray.media.plan.payloads import FilePayload
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.views import OutputView


async def buffer_seconds(step: Step, file: FilePayload, path: Path) -> float | None:
    """How many seconds of its `max_bitrate` a player must have in its buffer to play `path` over a
    line that carries just that; None where it has none, or cannot be told."""
    if file.max_bitrate is None:
        return None
    needed = await step.toolbox.prober.needed_buffer(path, file.max_bitrate)
    if isinstance(needed, Failure):
        return None
    return round(needed.bits / file.max_bitrate, 3)


def over(output: OutputView) -> str | None:
    """What is to be said where that is more than it may be."""
    if output.buffer_seconds is None or output.buffer_seconds <= BUFFER_SECONDS:
        return None
    return (
        f"{Path(output.path).name} exceeds its max_bitrate: {output.buffer_seconds:g} s of it must "
        f"be buffered, and {BUFFER_SECONDS} s are meant; give a lower one where that matters"
    )
