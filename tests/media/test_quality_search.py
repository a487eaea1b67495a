"""The crf for a wanted VMAF is found in few probes, and the same ones every time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffrtmp_ray.media.encoders import ENCODERS, CrfRange
from ffrtmp_ray.media.quality.search import (
    MOST_PROBES,
    TOLERANCE,
    WORTH,
    chosen,
    next_crf,
    reachable,
)

RANGES = sorted({encoder.crf_range for encoder in ENCODERS}, key=lambda each: each.highest)


class Title:
    """VMAF falls along an S from `top` to `top` - 70, steepest at crf `middle`."""

    def __init__(self, top: float, middle: float, width: float) -> None:
        self.top, self.middle, self.width = top, middle, width

    def vmaf(self, crf: float) -> float:
        return max(self.top - 70 / (1 + math.exp((self.middle - crf) / self.width)), 0.0)

    def probed(self, target: float, scale: CrfRange) -> dict[float, float]:
        probes: dict[float, float] = {}
        while (crf := next_crf(target, probes, scale)) is not None:
            assert crf not in probes
            probes[crf] = self.vmaf(crf)
        return probes


titles = st.builds(Title, st.floats(70, 100), st.floats(15, 50), st.floats(3, 9))


@given(titles, st.floats(20, 99), st.sampled_from(RANGES))
def test_every_probe_is_a_crf_that_there_is_and_they_are_few(
    title: Title, target: float, scale: CrfRange
) -> None:
    probes = title.probed(target, scale)
    assert 1 <= len(probes) <= MOST_PROBES
    for crf in probes:
        assert scale.lowest <= crf <= scale.highest
        assert ((crf - scale.lowest) / scale.step).is_integer()
    assert title.probed(target, scale) == probes


@given(titles, st.floats(20, 99), st.sampled_from(RANGES))
def test_what_is_chosen_is_never_below_a_target_that_can_be_had(
    title: Title, target: float, scale: CrfRange
) -> None:
    probes = title.probed(target, scale)
    crf = chosen(target, probes, scale)
    if title.vmaf(scale.lowest) >= target:
        assert title.vmaf(crf) >= target - TOLERANCE


@given(titles, st.floats(20, 99), st.sampled_from(RANGES))
def test_it_is_hardly_above_it_either(title: Title, target: float, scale: CrfRange) -> None:
    """But where the scale ends, and where one step of it is more."""
    probes = title.probed(target, scale)
    crf = chosen(target, probes, scale)
    if len(probes) == MOST_PROBES or crf == scale.highest:
        return
    goal = reachable(target, probes, scale)
    step = title.vmaf(crf) - title.vmaf(crf + scale.step)
    assert title.vmaf(crf) <= goal + max(TOLERANCE, step)


def test_a_target_out_of_reach_costs_no_more_than_it_is_worth() -> None:
    scale, title = CrfRange(lowest=12, usual=24, highest=40, step=0.5), Title(80, 45, 5)
    probes = title.probed(95, scale)
    best = title.vmaf(scale.lowest)
    assert chosen(95, probes, scale) > scale.lowest + 5
    assert title.vmaf(chosen(95, probes, scale)) == pytest.approx(best - WORTH, abs=TOLERANCE)


def test_the_first_probe_is_the_usual_one_and_the_second_goes_where_the_target_may_be() -> None:
    scale = CrfRange(lowest=12, usual=24, highest=40, step=0.5)
    assert next_crf(90, {}, scale) == 24
    assert next_crf(90, {24: 90.4}, scale) is None
    assert next_crf(90, {24: 80}, scale) == 18.5
    assert next_crf(90, {24: 98}, scale) == 28.5
    assert next_crf(90, {24: 98, 28.5: 86}, scale) == 27
    assert next_crf(90, {24: 98, 24.5: 86}, scale) is None


def test_probes_that_contradict_each_other_end_the_search() -> None:
    scale = CrfRange(lowest=12, usual=24, highest=40, step=1)
    probes = {24.0: 80.0, 26.0: 95.0}
    assert next_crf(90, probes, scale) is None
    assert chosen(90, probes, scale) == 26
