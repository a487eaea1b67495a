"""Packages are played by ffmpeg's own readers: every frame, and the sound beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffrtmp_ray.media.spec_packaging import HlsSegments, Packaging
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import AAC, X264
from tests.media.encoding import run
from tests.media.frames import times
from tests.media.pipeline import Outcome, rendition, run_job, spec
from tests.media.playing import play

SECONDS, FLASH = 7, 5
BOTH = Packaging(dash=True, segment_seconds=2)
TRANSPORT = Packaging(hls=HlsSegments.TS, segment_seconds=2)
LADDER = (rendition("90p", height=90, crf=20), rendition("44p", height=44, crf=20))
APART = 0.01
"""Seconds that sound and picture may be apart."""


@pytest.fixture(scope="session")
def flash_and_beep(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    clip = tmp_path_factory.mktemp("package") / "flash.mp4"
    picture = f"testsrc2=size=160x90:rate=25:duration={SECONDS},eq=brightness=-0.5"
    flash = f"drawbox=color=white:t=fill:enable='between(t,{FLASH},{FLASH}.15)'"
    beep = f"aevalsrc='sin(2000*PI*t)*between(t,{FLASH},{FLASH}.2)':s=48000:d={SECONDS}"
    sources = ("-f", "lavfi", "-i", f"{picture},{flash}", "-f", "lavfi", "-i", beep)
    run(ffmpeg, "-v", "error", *sources, *X264, *AAC, clip)
    return clip


def _published(outcome: Outcome) -> list[str]:
    result = outcome.results.get("publish")
    assert result is not None, (outcome.last, outcome.logs)
    return [Path(output["path"]).name for output in result["outputs"]]


@pytest.mark.parametrize(
    ("packaging", "manifests"),
    [(BOTH, ["master.m3u8", "manifest.mpd"]), (TRANSPORT, ["master.m3u8"])],
    ids=["fmp4", "ts"],
)
async def test_every_rendition_plays_as_the_source_with_its_sound(
    packaging: Packaging,
    manifests: list[str],
    toolbox: Toolbox,
    flash_and_beep: Path,
    out: Path,
    ffmpeg: str,
    tmp_path: Path,
) -> None:
    job = spec(flash_and_beep, out / "p", *LADDER, packaging=packaging)
    outcome = await run_job(job.model_copy(update={"chunks": 2}), toolbox)
    assert _published(outcome)[: len(manifests)] == manifests
    assert not outcome.replans
    source = times(flash_and_beep)
    for manifest in manifests:
        for number in range(len(LADDER)):
            played = play(ffmpeg, out / "p" / manifest, tmp_path, picture=number)
            assert played.times == [pytest.approx(float(each), abs=1e-5) for each in source]
            assert played.flash == FLASH
            assert played.beep == pytest.approx(FLASH, abs=APART)
