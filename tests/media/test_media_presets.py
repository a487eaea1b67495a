"""Presets are data: all of them load, and an accepted job keeps the ladder that it was given."""

from __future__ import annotations

import pytest

from ffrtmp_ray.errors import UnknownPreset
from ffrtmp_ray.media import presets
from ffrtmp_ray.media.spec import Codec, Copying, JobSpec

PROMISED = {
    "h264-1080p", "h264-720p", "h264-480p", "web", "hevc-1080p", "av1-1080p", "vp9-720p",
    "ladder-h264", "ladder-hevc", "ladder-av1", "hls-h264", "hls-hevc", "hls-av1", "mobile",
    "archive", "audio-only", "passthrough",
}  # fmt: skip


def test_all_promised_presets_are_there() -> None:
    assert set(presets.names()) >= PROMISED


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_loads_and_says_what_it_is_for(name: str) -> None:
    preset = presets.load(name)
    assert preset.name == name
    assert preset.description.endswith(".")
    assert preset.ladder.renditions or name == "audio-only"


@pytest.mark.parametrize("name", presets.names())
def test_crf_is_within_the_scale_of_its_codec(name: str) -> None:
    for rendition in presets.load(name).ladder.renditions:
        limit = 51 if rendition.codec in (Codec.H264, Codec.HEVC) else 63
        assert 10 < rendition.crf <= limit


@pytest.mark.parametrize("name", [name for name in presets.names() if "ladder" in name])
def test_rungs_of_a_ladder_fall_in_height_and_rate(name: str) -> None:
    rungs = presets.load(name).ladder.renditions
    assert len(rungs) > 1
    heights = [rung.height or 0 for rung in rungs]
    rates = [rung.max_bitrate or 0 for rung in rungs]
    assert heights == sorted(heights, reverse=True)
    assert rates == sorted(rates, reverse=True)


def test_presets_with_a_highest_bitrate_take_a_source_that_keeps_it() -> None:
    rungs = [rung for name in presets.names() for rung in presets.load(name).ladder.renditions]
    capped = [rung for rung in rungs if rung.max_bitrate is not None]
    assert {rung.copying for rung in capped} == {Copying.ALLOWED}


def test_a_misspelled_preset_is_told_what_it_may_have_meant() -> None:
    with pytest.raises(UnknownPreset) as caught:
        presets.load("h264-108p")
    assert "h264-1080p" in str(caught.value.remedy)


@pytest.mark.parametrize("name", ["zzz", "../pyproject", ""])
def test_an_unknown_preset_is_told_all_there_are(name: str) -> None:
    with pytest.raises(UnknownPreset) as caught:
        presets.load(name)
    assert "web" in str(caught.value.remedy)


def test_resolving_puts_the_ladder_in_and_keeps_the_name() -> None:
    spec = presets.resolve(JobSpec(input="/a", output="/b.mp4", preset="web"))
    assert spec.preset == "web"
    assert spec.ladder == presets.load("web").ladder
    assert presets.resolve(spec) == spec


def test_a_ladder_of_ones_own_stays_as_it_is() -> None:
    ladder = presets.load("mobile").ladder
    spec = JobSpec(input="/a", output="/b.mp4", ladder=ladder)
    assert presets.resolve(spec) == spec
