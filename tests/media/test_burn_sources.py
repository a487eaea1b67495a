"""Subtitles are burned in whatever the picture is made of, and whatever its crf follows from."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from ffrtmp_ray.media.spec import Measure
from ffrtmp_ray.media.spec.burn import Burn
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.media.encoding import run
from tests.media.exact import frames_of
from tests.media.pipeline import assert_published, encodes_of, rendition, run_job, spec


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.srt"
    path.write_text("1\n00:00:00,400 --> 00:00:01,600\nsomething that is read\n")
    return path


def colours(path: Path) -> np.ndarray:
    """Of each frame, the mean red, green and blue of its upper half, where no text is."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.array([frame[: len(frame) // 2].mean(axis=(0, 1)) for frame in frames])


def brightest(path: Path) -> list[int]:
    """Of the lower half of each frame."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="gray8") for frame in container.decode(video=0)]
    return [int(frame[len(frame) // 2 :].max()) for frame in frames]


async def test_red_green_and_blue_stay_what_they_are_under_text(
    text: Path, toolbox: Toolbox, out: Path, ffmpeg: str, tmp_path: Path
) -> None:
    """In chunks as in one piece."""
    clip = tmp_path / "rgb.mkv"
    picture = (
        "gradients=size=320x180:rate=25:duration=2:c0=red:c1=green:c2=navy:n=3:seed=1:speed=0.01"
    )
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", picture, *("-c:v", "ffv1", "-g", "5"),
        *("-pix_fmt", "gbrp", clip))  # fmt: skip
    job = spec(clip, out / "plain.mp4", rendition(crf=0), audio=None)
    assert_published(await run_job(job, toolbox, job="plain"), out / "plain.mp4")
    for chunks in (1, 2):
        target = out / f"{chunks}.mp4"
        wish = {"output": str(target), "chunks": chunks, "burn": Burn(file=str(text))}
        outcome = await run_job(job.model_copy(update=wish), toolbox, job=f"job{chunks}")
        assert_published(outcome, target)
        assert len(encodes_of(outcome)) == chunks
    assert colours(out / "1.mp4") == pytest.approx(colours(out / "plain.mp4"), abs=1)
    white = [level > 150 for level in brightest(out / "1.mp4")]
    assert white == [10 <= frame < 40 for frame in range(50)]
    assert frames_of(out / "1.mp4") == frames_of(out / "2.mp4")


async def test_a_crf_is_found_for_the_picture_with_its_text(
    text: Path, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    """It is measured against the source with the same text: without, it would score far less."""
    target = out / "a.mp4"
    aimed = rendition(crf=None, target_vmaf=90)
    job = spec(clips("plain.mp4"), target, aimed, audio=None)
    wish = {"burn": Burn(file=str(text)), "quality": (Measure.VMAF,)}
    outcome = await run_job(job.model_copy(update=wish), toolbox)
    assert_published(outcome, target)
    (scored,) = outcome.results["finish"]["quality"]
    assert scored["mean"] == pytest.approx(90, abs=1.5)
    order = list(outcome.ended)
    assert order.index("burn") < order.index("tune0") < order.index("encode0")
