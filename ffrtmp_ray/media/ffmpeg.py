"""Finds the ffmpeg program, and asks it which one it is. Runs nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]  # it ships no types

from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.media.process.runner import ProcessGroup

_REMEDY = "set FFRTMP_FFMPEG to an ffmpeg program, or install the package imageio-ffmpeg"


def find(chosen: Path | None) -> str:
    """The path of ffmpeg: `chosen` (`Settings.ffmpeg`), else the one of the installation.

    Raises MachineError when there is none, or when `chosen` cannot be executed.
    """
    if chosen is not None:
        if not chosen.is_file() or not os.access(chosen, os.X_OK):
            raise MachineError("no program that can be run", where=str(chosen), remedy=_REMEDY)
        return str(chosen)
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise MachineError("there is no ffmpeg on this machine", remedy=_REMEDY) from error


async def version(ffmpeg: str) -> str:
    """What the program calls itself, as `n7.1-20-g1234567`.

    Raises MachineError when the program does not say so, and is no ffmpeg.
    """
    processes = ProcessGroup(stall_seconds=10, grace_seconds=0, timeout_seconds=10)
    end = await processes.run([ffmpeg, "-nostdin"])  # nothing to do: prints its banner and ends
    words = end.log.split()
    if words[:2] != ["ffmpeg", "version"] or len(words) < 3:
        raise MachineError("this program is no ffmpeg", where=ffmpeg, remedy=_REMEDY)
    return words[2]
