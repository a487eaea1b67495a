"""Frames' scores become a rendition's: pooled by frames, in bounded room."""

from __future__ import annotations

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffrtmp_ray.core.model import Document
from ffrtmp_ray.media.plan.payloads import ChunkScores
from ffrtmp_ray.media.quality.report import quality_of
from ffrtmp_ray.media.quality.scores import STEPS, Distribution, distribution, pool
from ffrtmp_ray.media.spec import Measure

Scores = st.lists(st.floats(0, 100), min_size=1, max_size=300)


@given(Scores, st.data())
def test_however_frames_are_cut_into_chunks_their_scores_are_the_same(
    scores: list[float], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(scores)))
    whole = pool(Measure.VMAF, [distribution(Measure.VMAF, scores)])
    parts = [distribution(Measure.VMAF, part) for part in (scores[:cut], scores[cut:])]
    pooled = pool(Measure.VMAF, parts)
    assert pooled.mean == pytest.approx(whole.mean)
    assert pooled.harmonic_mean == pytest.approx(whole.harmonic_mean)
    assert (pooled.frames, pooled.percentile_1) == (whole.frames, whole.percentile_1)


@given(Scores)
def test_the_percentile_is_that_of_sorting_all_frames_to_half_a_step(scores: list[float]) -> None:
    worst = sorted(scores)[-(-len(scores) // 100) - 1]
    pooled = pool(Measure.VMAF, [distribution(Measure.VMAF, scores)])
    assert abs(pooled.percentile_1 - worst) <= STEPS[Measure.VMAF] / 2 + 1e-9


def test_a_long_chunk_counts_for_more_than_a_short_one() -> None:
    long, short = [90.0] * 99, [10.0]
    pooled = pool(Measure.VMAF, [distribution(Measure.VMAF, each) for each in (long, short)])
    assert pooled.mean == pytest.approx(fmean(long + short))
    assert pooled.harmonic_mean == pytest.approx(100 / (99 / 91 + 1 / 11) - 1)
    assert pooled.percentile_1 == pytest.approx(10)


def test_a_frame_that_is_all_wrong_leaves_the_harmonic_mean_above_zero() -> None:
    pooled = pool(Measure.SSIM, [distribution(Measure.SSIM, [0.0, 1.0])])
    assert pooled.harmonic_mean == pytest.approx(2 / 1.5 - 1)


def test_an_hour_of_frames_takes_little_room() -> None:
    scores = [(number * 7919 % 100_000) / 1000 for number in range(90_000)]
    text = distribution(Measure.VMAF, scores).model_dump_json()
    assert len(text) < 12_000
    assert Distribution.model_validate_json(text).frames == 90_000


def _result(lines: int, **renditions: list[float]) -> Document:
    scores = {
        name: {measure: distribution(measure, frames) for measure in (Measure.VMAF, Measure.PSNR)}
        for name, frames in renditions.items()
    }
    width = lines * 16 // 9
    return {
        "measured": ChunkScores(width=width, height=lines, scores=scores).model_dump(mode="json")
    }


def test_a_job_has_a_score_for_each_rendition_and_measure() -> None:
    results = [
        _result(1080, hd=[80.0, 90.0], sd=[50.0]),
        {"path": "sound"},
        _result(1080, hd=[70.0]),
    ]
    first, second = quality_of(results)
    assert (first.rendition, first.measure, first.model) == ("hd", "vmaf", "vmaf_v0.6.1")
    assert (first.frames, first.mean, first.compared_at) == (3, 80.0, "1920x1080")
    assert (second.rendition, second.measure, second.model) == ("hd", "psnr", None)


def test_a_rendition_of_which_a_chunk_could_not_be_measured_has_no_score() -> None:
    assert quality_of([_result(1080, hd=[80.0]), _result(1080)]) == []
    assert quality_of([]) == []


@pytest.mark.parametrize(
    ("lines", "model"), [(360, "vmaf_v0.6.1"), (1440, "vmaf_v0.6.1"), (2160, "vmaf_4k_v0.6.1")]
)
def test_the_model_for_large_pictures_is_named(lines: int, model: str) -> None:
    assert quality_of([_result(lines, hd=[80.0])])[0].model == model
