"""What may be asked for of subtitles that are burned in."""

from __future__ import annotations

import pytest

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.plan import check_spec
from ffrtmp_ray.media.spec import Audio, JobSpec, Ladder
from ffrtmp_ray.media.spec.burn import Burn


def test_sound_alone_has_no_picture_to_burn_into() -> None:
    job = JobSpec(
        input="/in/a.mkv",
        output="/out/a.m4a",
        ladder=Ladder(renditions=(), audio=Audio()),
        burn=Burn(),
    )
    with pytest.raises(InvalidRequest, match="burned into a picture"):
        check_spec(job)


def test_one_way_to_name_text_is_enough() -> None:
    with pytest.raises(ValueError, match="one of them"):
        Burn(track=1, language="eng")
    with pytest.raises(ValueError, match=r"should end with \.srt, \.vtt, \.ass, \.ssa"):
        Burn(file="/in/text.txt")


@pytest.mark.parametrize("name", ["film.idx", "film.SUB", "film.sup"])
def test_files_of_bitmaps_are_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(ValueError, match=r"put them in an \.mkv with the picture"):
        Burn(file=f"/in/{name}")
