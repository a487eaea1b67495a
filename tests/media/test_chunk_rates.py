"""Renditions of a frame rate of their own are the same in chunks as in one piece.

Without loss, so that every pixel counts. `make exactness` runs it on every clip in 2, 3 and 7
chunks; by default it runs on those whose frames lie least on a grid.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from ffrtmp_ray.media.assignment import Failed, Succeeded
from ffrtmp_ray.media.encode.rate import first_from, rated_span, shown_from
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import RECIPES, Clips
from tests.conftest import real_clips
from tests.media.exact import Frames, assert_refused, frames_of
from tests.media.pipeline import Outcome, encodes_of, rendition, run_job, spec

RATES = (10, 23.976, 60)
"""Fewer frames than the source has, as many in another place, more."""
ALWAYS = {"vfr-long.mkv": 7, "offset.mp4": 3, "negative.ts": 2, "fields.mp4": 3}
TRIM = Trim(start=0.51, duration=2.7)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    every = metafunc.config.getoption("--every-clip")
    if "clip" in metafunc.fixturenames:
        found = [*RECIPES, *map(str, real_clips())] if every else list(ALWAYS)
        metafunc.parametrize("clip", found, ids=lambda name: Path(name).name)


@pytest.fixture
def numbers(clip: str, request: pytest.FixtureRequest) -> tuple[int, ...]:
    return (2, 3, 7) if request.config.getoption("--every-clip") else (ALWAYS[clip],)


async def _in_chunks(
    source: Path, target: Path, chunks: int, toolbox: Toolbox, trim: Trim | None = None
) -> Outcome:
    """A rendition that keeps all frames, and one of each rate."""
    rated = (rendition(f"r{n}", crf=0, height=90, fps=fps) for n, fps in enumerate(RATES))
    job = spec(source, target, rendition("all", crf=0, height=90), *rated, audio=None)
    wanted = job.model_copy(update={"chunks": chunks, "trim": trim})
    return await run_job(wanted, toolbox, job=target.name)


def _frames(folder: Path) -> dict[str, Frames]:
    return {path.name: frames_of(path) for path in sorted(folder.iterdir())}


@pytest.mark.timeout(900)
async def test_frames_of_a_rate_of_their_own_are_the_same_in_chunks(
    clip: str, numbers: tuple[int, ...], clips: Clips, toolbox: Toolbox, out: Path
) -> None:
    source = clips(clip) if clip in RECIPES else Path(clip)
    whole = await _in_chunks(source, out / "whole", 1, toolbox)
    if isinstance(whole.last, Failed):
        assert_refused(whole, whole.last.failure)
        return
    expected = _frames(out / "whole")
    for number in numbers:
        cut = await _in_chunks(source, out / f"cut{number}", number, toolbox)
        assert isinstance(cut.last, Succeeded), (cut.last, cut.logs)
        assert _frames(out / f"cut{number}") == expected
        assert not cut.replans or clip not in ALWAYS
        if not cut.replans and "in one piece" not in " ".join(cut.warnings):
            assert len(encodes_of(cut)) == min(number, len(expected["all.mp4"]))


async def test_a_part_of_a_source_is_cut_at_the_same_frames_of_another_rate(
    clips: Clips, toolbox: Toolbox, out: Path
) -> None:
    source = clips("vfr-long.mkv")
    await _in_chunks(source, out / "whole", 1, toolbox, TRIM)
    cut = await _in_chunks(source, out / "cut", 3, toolbox, TRIM)
    assert len(encodes_of(cut)) == 3
    assert _frames(out / "cut") == _frames(out / "whole")


async def test_a_picture_is_not_cut_into_more_chunks_than_a_rendition_has_frames(
    clips: Clips, toolbox: Toolbox, out: Path
) -> None:
    job = spec(clips("plain.mp4"), out / "a.mp4", rendition(fps=0.5))
    outcome = await run_job(job.model_copy(update={"chunks": 3}), toolbox)
    assert isinstance(outcome.last, Succeeded)
    assert encodes_of(outcome) == ["encode0"]
    assert any("would have no frame" in text for text in outcome.warnings)


@pytest.mark.parametrize("rate", [Fraction(10), Fraction(24000, 1001), Fraction(240)])
def test_chunks_have_all_frames_of_a_rate_between_them_and_each_once(rate: Fraction) -> None:
    borders = [0, 1, 999, 12_345, 90_000, 90_001]
    spans = [rated_span(rate, 90_000, begin, end - begin) for begin, end in pairwise(borders)]
    assert [span.end for span in spans[:-1]] == [span.first for span in spans[1:]]
    for span, begin in zip(spans, borders, strict=False):
        assert begin <= span.offset < begin + 90_000 / rate


def test_the_first_frame_of_a_chunk_shows_nothing_from_before_it() -> None:
    rate = Fraction(24000, 1001)
    for tick in range(9000):
        assert shown_from(rate, 90_000, tick) <= first_from(rate, 90_000, tick)
