"""Have ffmpeg compare an encode with what it was made of, and read what it says of each frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ffrtmp_ray.media.assignment import Failed, Stopped
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.quality.compare import Comparison, comparison_argv, scores_of
from ffrtmp_ray.media.spec import Measure
from ffrtmp_ray.media.steps import burn
from ffrtmp_ray.media.steps.step import Step


@dataclass(frozen=True, slots=True)
class Compared:
    scores: Mapping[Measure, Sequence[float]]
    """Of each frame in turn, by each measure that was asked for."""
    source_frames: int
    """How many the source has in that span; each of them is paired with one of the encode, unless
    the encode has fewer."""


async def compare(
    step: Step, work: Comparison, log: Path, fraction: Callable[[int], float]
) -> Compared | Failed | Stopped:
    """`log` is a place for a file. `fraction` says how far the step is from the number of frames
    that have been compared."""
    frames = 0

    def follow(progress: ProcessProgress) -> float:
        nonlocal frames
        frames = progress.frame
        return fraction(frames)

    cpus = max(step.assignment.cpus, 1)
    argv = comparison_argv(step.toolbox.ffmpeg, work, str(log), cpus=cpus)
    fonts = await burn.fonts_environment(step, work.video)
    if (ended := await step.ffmpeg(argv, follow, fonts)) is not None:
        return ended
    return Compared(await step.in_thread(_read, log, work.measures), frames)


def _read(log: Path, measures: Sequence[Measure]) -> dict[Measure, list[float]]:
    with log.open(encoding="utf-8") as lines:
        return scores_of(lines, measures)
