"""From the scores of frames to those of a whole rendition: chunks are pooled by frames. Pure.

A mean of chunks' means would let a frame of a short chunk count for more than one of a long chunk.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ffrtmp_ray.media.encode.work import Value
from ffrtmp_ray.media.spec import Measure

STEPS: Mapping[Measure, float] = {Measure.VMAF: 0.1, Measure.PSNR: 0.1, Measure.SSIM: 0.001}
"""How exact percentiles are. Means are made of the frames' own scores."""


class Distribution(Value):
    """The scores of some frames by one measure, in little room however many they are."""

    frames: int
    total: float
    """The sum of the scores."""
    reciprocals: float
    """The sum of 1 / (score + 1)."""
    counts: dict[int, int]
    """How many frames have a score, by the nearest multiple of the measure's step."""


class Pooled(Value):
    """A rendition's score by one measure, of all its frames."""

    frames: int
    mean: float
    harmonic_mean: float
    """Lower than the mean where some frames are much worse than the others."""
    percentile_1: float
    """One frame of a hundred has this score or a lower one."""


def distribution(measure: Measure, scores: Sequence[float]) -> Distribution:
    step = STEPS[measure]
    return Distribution(
        frames=len(scores),
        total=math.fsum(scores),
        reciprocals=math.fsum(1 / (score + 1) for score in scores),
        counts=dict(sorted(Counter(round(score / step) for score in scores).items())),
    )


def pool(measure: Measure, parts: Iterable[Distribution]) -> Pooled:
    """Of chunks that have at least one frame together.

    The harmonic mean is libvmaf's, `n / sum(1 / (score + 1)) - 1`, which a score of zero does not
    make zero (libvmaf.c, VMAF_POOL_METHOD_HARMONIC_MEAN).
    """
    known = tuple(parts)
    frames = sum(part.frames for part in known)
    counts: Counter[int] = Counter()
    for part in known:
        counts.update(part.counts)
    return Pooled(
        frames=frames,
        mean=math.fsum(part.total for part in known) / frames,
        harmonic_mean=frames / math.fsum(part.reciprocals for part in known) - 1,
        percentile_1=_percentile(counts, math.ceil(frames / 100)) * STEPS[measure],
    )


def _percentile(counts: Mapping[int, int], rank: int) -> int:
    """The score of the frame that is number `rank` from the worst."""
    reached = 0
    for score, frames in sorted(counts.items()):
        reached += frames
        if reached >= rank:
            return score
    raise ValueError(f"{reached} frames have no number {rank}")
