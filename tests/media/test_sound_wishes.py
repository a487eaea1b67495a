"""What a job wants of sounds and subtitles takes the place of what its preset says."""

from __future__ import annotations

from typing import Any

import pytest

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.presets import load, resolve
from ffrtmp_ray.media.spec import Audio, JobSpec, Ladder, Subtitles, Tracks
from ffrtmp_ray.media.spec.tracks import Loudness
from tests.media.pipeline import rendition


def _resolved(**fields: Any) -> Ladder:
    given = {"input": "/in/a.mkv", "output": "/out/a.mp4"} | fields
    ladder = resolve(JobSpec.model_validate(given)).ladder
    assert ladder is not None
    return ladder


def test_a_job_that_says_nothing_has_its_presets_ladder() -> None:
    assert _resolved(preset="web") == load("web").ladder


def test_a_preset_keeps_what_the_job_does_not_name() -> None:
    preset = load("web").ladder.audio
    assert preset is not None
    ladder = _resolved(preset="web", sounds=["eng"], loudness=-16, subtitles="all")
    assert ladder.audio == preset.model_copy(
        update={"tracks": ("eng",), "loudness": Loudness(target=-16)}
    )
    assert ladder.subtitles == Subtitles(tracks=Tracks.ALL)
    assert ladder.renditions == load("web").ladder.renditions


def test_a_ladder_of_ones_own_is_changed_too_and_keeps_its_true_peak() -> None:
    audio = Audio(loudness=Loudness(target=-23, true_peak=-2))
    ladder = _resolved(ladder=Ladder(renditions=(rendition(),), audio=audio), loudness=-14)
    assert ladder.audio is not None
    assert ladder.audio.loudness == Loudness(target=-14, true_peak=-2)


@pytest.mark.parametrize("wish", [{"sounds": "all"}, {"loudness": -16}])
def test_sounds_of_a_ladder_without_any_are_refused(wish: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _resolved(ladder=Ladder(renditions=(rendition(),), audio=None), **wish)
    assert caught.value.where in wish
