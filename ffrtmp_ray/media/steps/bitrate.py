"""Does a finished file keep the bitrate that it was to keep? Part of `finish`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ffrtmp_ray.core.model import Failure
from ffrtmp_ray.media.bucket import BUFFER_SECONDS
from ffrtmp_ray.media.plan.payloads import EncodedFile, FilePayload
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


def tightened_chunks(file: FilePayload, chunks: Sequence[EncodedFile]) -> int | None:
    """How many were encoded again to keep a bitrate; None where there is none to keep."""
    return None if file.max_bitrate is None else sum(chunk.tries > 1 for chunk in chunks)


def over(output: OutputView) -> str | None:
    """What is to be said where that is more than it may be."""
    if output.buffer_seconds is None or output.buffer_seconds <= BUFFER_SECONDS:
        return None
    coarsest = ", though it is as coarse as can be" if output.tightened_chunks else ""
    return (
        f"{Path(output.path).name} exceeds its max_bitrate{coarsest}: {output.buffer_seconds:g} s "
        f"of it must be buffered, and {BUFFER_SECONDS} s are meant; allow more, or have a "
        "smaller picture"
    )
