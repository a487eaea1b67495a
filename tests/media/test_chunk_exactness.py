"""A job cut into chunks makes the very frames, at the very times, of the same job in one piece.

Lossless encoders, so that every pixel counts. `make exactness` runs it on every clip in 2, 3 and 7
chunks; by default it runs on those that differ most in how they are cut.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from ffrtmp_ray.media.assignment import Failed, Succeeded
from ffrtmp_ray.media.spec import Codec
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import RECIPES, Clips
from tests.conftest import real_clips
from tests.media.exact import (
    assert_refused,
    frames_of,
    make_x265_lossless,
    run_in_chunks,
)
from tests.media.pipeline import encodes_of

NUMBERS = (2, 3, 7)
ALWAYS = {
    "vfr-long.mkv": 3,
    "fine.mp4": 7,
    "open-gop.ts": 7,
    "refresh.mp4": 3,
    "edited.mp4": 2,
    "offset.mp4": 3,
    "negative.ts": 2,
    "fields.mp4": 3,
    "tenbit.mkv": 2,
    "rotated.mp4": 3,
    "odd.mkv": 2,
    "animated.png": 2,
}
ALWAYS_REAL = {
    "bbb_2500ms.ts",
    "sample-with-key-frame-index.flv",
    "sample.avi",
    "sample_fragmented.mp4",
    "sample_h265.ts",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    every = metafunc.config.getoption("--every-clip")
    if "generated" in metafunc.fixturenames:
        metafunc.parametrize("generated", sorted(RECIPES) if every else list(ALWAYS))
    if "real" in metafunc.fixturenames:
        found = real_clips()
        chosen = found if every else [clip for clip in found if clip.name in ALWAYS_REAL]
        metafunc.parametrize("real", chosen, ids=lambda path: path.name)


@pytest.fixture
def every(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--every-clip"))


Assert = Callable[[Path, Sequence[int]], Awaitable[None]]


@pytest.fixture
def assert_exact(
    toolbox: Toolbox, out: Path, every: bool, monkeypatch: pytest.MonkeyPatch
) -> Assert:
    height = None if every else 180
    make_x265_lossless(monkeypatch)
    return partial(_assert_exact, toolbox, out, height)


async def _assert_exact(
    toolbox: Toolbox, out: Path, height: int | None, clip: Path, numbers: Sequence[int]
) -> None:
    """The same for each number, or said to be inexact and made in one piece; or refused."""
    run = partial(run_in_chunks, clip, toolbox=toolbox, height=height)
    whole = await run(out / "1.mp4", 1)
    if isinstance(whole.last, Failed) and "HDR" in whole.last.failure.reason:
        run = partial(run, codec=Codec.HEVC)
        whole = await run(out / "1.mp4", 1)
    if isinstance(whole.last, Failed):
        assert_refused(whole, whole.last.failure)
        return
    assert encodes_of(whole) == ["encode0"]
    frames = frames_of(out / "1.mp4")
    for number in numbers:
        target = out / f"{number}.mp4"
        outcome = await run(target, number)
        assert isinstance(outcome.last, Succeeded), (outcome.last, outcome.logs)
        assert frames_of(target) == frames
        said = " ".join(outcome.warnings)
        if outcome.replans:
            assert "inexact" in said
        elif "in one piece" not in said:
            assert len(encodes_of(outcome)) == min(number, len(frames))


@pytest.mark.timeout(900)
async def test_a_generated_clip_is_the_same_in_chunks(
    generated: str, every: bool, clips: Clips, assert_exact: Assert
) -> None:
    await assert_exact(clips(generated), NUMBERS if every else (ALWAYS[generated],))


@pytest.mark.timeout(900)
async def test_a_real_clip_is_the_same_in_chunks(
    real: Path, every: bool, assert_exact: Assert
) -> None:
    await assert_exact(real, NUMBERS if every else (3,))
