"""Which crf to try next, and which to take, for a picture to score what is wanted. Pure.

A title's score falls as its crf rises. The same probes always lead to the same next one.
"""

from __future__ import annotations

from collections.abc import Mapping

from ffrtmp_ray.media.encoders import CrfRange

MOST_PROBES = 8
TOLERANCE = 0.5
"""VMAF: a probe that comes as close to the target ends the search. Where the crf's scale is too
coarse for that, the result is above the target."""
FALL = 50
"""VMAF from one end of the range to the other, roughly: where the second probe goes."""
WORTH = 1.0
"""VMAF: where a target is out of reach, what comes so close to the best there is is taken: the
last point costs more than all of the others."""
INNER = 1 / 4
"""Of the distance between two probes: no third one between them is closer to either."""

Probes = Mapping[float, float]
"""The mean VMAF of the samples, by crf."""


def next_crf(target: float, probes: Probes, scale: CrfRange) -> float | None:
    """What to try after `probes`; None when they are enough."""
    goal = reachable(target, probes, scale)
    if not probes:
        return scale.usual
    if len(probes) == MOST_PROBES or any(abs(vmaf - goal) <= TOLERANCE for vmaf in probes.values()):
        return None
    above = max((crf for crf, vmaf in probes.items() if vmaf > goal), default=None)
    below = min((crf for crf, vmaf in probes.items() if vmaf < goal), default=None)
    if above is not None and below is not None:
        low, high = _inner(above, below, scale)
    elif above is not None:
        low, high = above + scale.step, scale.highest
    else:
        low, high = scale.lowest, min(probes) - scale.step
    if low > high:
        return None
    return min(max(scale.nearest(_crf_at(goal, probes, scale)), low), high)


def chosen(target: float, probes: Probes, scale: CrfRange) -> float:
    """The highest crf, for the smallest file, that scores the target; else the best there is."""
    goal = reachable(target, probes, scale)
    enough = [crf for crf, vmaf in probes.items() if vmaf >= goal - TOLERANCE]
    return max(enough) if enough else min(probes)


def reachable(target: float, probes: Probes, scale: CrfRange) -> float:
    """The target, or close to what the lowest crf scores where that is less."""
    best = probes.get(scale.lowest)
    return target if best is None or best >= target - TOLERANCE else best - WORTH


def _inner(above: float, below: float, scale: CrfRange) -> tuple[float, float]:
    """Between two probes, away from either: scores are no straight line, and a search that follows
    one may creep along from one end."""
    margin = max(scale.nearest(scale.lowest + (below - above) * INNER) - scale.lowest, scale.step)
    return above + margin, below - margin


def _crf_at(goal: float, probes: Probes, scale: CrfRange) -> float:
    """Where a straight line through the two probes nearest to the goal has it."""
    by_distance = sorted(probes.items(), key=lambda probe: (abs(probe[1] - goal), probe[0]))
    (crf, vmaf), *others = by_distance
    slope = -FALL / (scale.highest - scale.lowest)
    if others and (found := (others[0][1] - vmaf) / (others[0][0] - crf)) < 0:
        slope = found
    return crf + (goal - vmaf) / slope
