"""Decodes all that an encode has made, where the user wants that: `verify` is `full`.

Of a chunk, not of the file that it is joined to: so it runs beside the other encodes, and joining
changes no packet.
"""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Failed, Stopped
from ffrtmp_ray.media.package.decoding import decode_argv
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.steps.step import Step


async def undecodable(step: Step, path: Path, frames: int | None = None) -> Failed | Stopped | None:
    """Why not all of a file can be decoded, to `frames` pictures where it has any; None: it can."""
    seen = 0

    def follow(progress: ProcessProgress) -> float:
        nonlocal seen
        seen = progress.frame
        return step.progress.fraction

    argv = decode_argv(step.toolbox.ffmpeg, path, max(step.assignment.cpus, 1))
    ended = await step.ffmpeg(argv, follow)
    if isinstance(ended, Failed) and ended.failure.kind is FailureKind.BAD_INPUT:
        reason = f"{path.name} cannot be decoded: {ended.failure.reason}"
        return Failed(Failure(FailureKind.INEXACT, reason))
    if ended is None and frames is not None and seen != frames:
        reason = f"{path.name} has {frames} frames, of which {seen} can be decoded"
        return Failed(Failure(FailureKind.INEXACT, reason))
    return ended
