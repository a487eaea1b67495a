"""Packages are played by ffmpeg's own readers: every frame, and the sound beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffrtmp_ray.media.spec import Audio, Codec, Tracks, Verify
from ffrtmp_ray.media.spec.packaging import HlsSegments, Packaging
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import AAC, X264, Clips
from tests.media.encoding import run
from tests.media.frames import onset, times
from tests.media.pipeline import assert_nothing_left, rendition, run_job, spec
from tests.media.playing import play, published

SECONDS, FLASH = 7, 5
BOTH = Packaging(dash=True, segment_seconds=2)
TRANSPORT = Packaging(hls=HlsSegments.TS, segment_seconds=2)
KINDS = [(BOTH, ["master.m3u8", "manifest.mpd"]), (TRANSPORT, ["master.m3u8"])]
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


@pytest.mark.parametrize(("packaging", "manifests"), KINDS, ids=["fmp4", "ts"])
async def test_every_rendition_of_a_cut_job_plays_as_the_source_with_its_sound(
    packaging: Packaging,
    manifests: list[str],
    toolbox: Toolbox,
    flash_and_beep: Path,
    out: Path,
    ffmpeg: str,
    tmp_path: Path,
) -> None:
    ladder = (rendition("90p", height=90, crf=20), rendition("44p", height=44, crf=20))
    job = spec(flash_and_beep, out / "p", *ladder, packaging=packaging)
    outcome = await run_job(job.model_copy(update={"chunks": 2}), toolbox)
    assert published(outcome)[: len(manifests)] == manifests
    assert not outcome.replans
    assert_nothing_left(toolbox, out, out / "p")
    source = [pytest.approx(float(each), abs=1e-5) for each in times(flash_and_beep)]
    for manifest in manifests:
        for number in range(len(ladder)):
            played = play(ffmpeg, out / "p" / manifest, tmp_path, picture=number)
            assert played.times == source
            assert played.flash == FLASH
            assert played.beep == pytest.approx(FLASH, abs=APART)


async def test_a_file_of_the_same_has_picture_and_sound_as_close_together(
    toolbox: Toolbox, flash_and_beep: Path, out: Path, ffmpeg: str, tmp_path: Path
) -> None:
    await run_job(spec(flash_and_beep, out / "a.mp4", rendition(crf=20)), toolbox)
    played = play(ffmpeg, out / "a.mp4", tmp_path)
    assert played.flash == FLASH
    assert played.beep == pytest.approx(FLASH, abs=APART)


@pytest.mark.parametrize("packaging", [BOTH, TRANSPORT], ids=["fmp4", "ts"])
@pytest.mark.parametrize("name", ["late-sound.mp4", "late-picture.mkv"])
async def test_sound_that_starts_later_or_earlier_keeps_its_distance(
    name: str,
    packaging: Packaging,
    toolbox: Toolbox,
    clips: Clips,
    out: Path,
    ffmpeg: str,
    tmp_path: Path,
) -> None:
    await run_job(spec(clips(name), out / "p", rendition(height=90), packaging=packaging), toolbox)
    heard = onset(clips(name)) - float(times(clips(name))[0])
    played = play(ffmpeg, out / "p" / "master.m3u8", tmp_path)
    assert played.beep == pytest.approx(max(heard, 0), abs=APART)


@pytest.mark.parametrize("packaging", [BOTH, TRANSPORT], ids=["fmp4", "ts"])
async def test_all_sounds_are_there_by_their_languages(
    packaging: Packaging, toolbox: Toolbox, clips: Clips, out: Path, ffmpeg: str, tmp_path: Path
) -> None:
    audio = Audio(tracks=Tracks.ALL)
    job = spec(
        clips("two-sounds.mkv"), out / "p", rendition(height=90), packaging=packaging, audio=audio
    )
    published(await run_job(job, toolbox))
    master = (out / "p" / "master.m3u8").read_text()
    assert 'LANGUAGE="en",DEFAULT=YES' in master
    assert 'LANGUAGE="fr",DEFAULT=NO' in master
    other = play(ffmpeg, out / "p" / "audio" / "1" / "index.m3u8", tmp_path, picture=None)
    assert other.beep == pytest.approx(10 if packaging is TRANSPORT else 0, abs=0.05)


async def test_a_varying_frame_rate_plays_in_every_codec_and_all_of_it_decodes(
    toolbox: Toolbox, clips: Clips, out: Path, ffmpeg: str, tmp_path: Path
) -> None:
    clip = clips("vfr-long.mkv")
    one_second = BOTH.model_copy(update={"segment_seconds": 1.0})
    ladder = [rendition(codec.value, codec=codec, height=90) for codec in Codec]
    job = spec(clip, out / "p", *ladder, packaging=one_second)
    wanted = job.model_copy(update={"chunks": 2, "verify": Verify.FULL})
    outcome = await run_job(wanted, toolbox)
    assert published(outcome)
    assert not outcome.replans
    source = [pytest.approx(float(each), abs=1e-5) for each in times(clip)]
    for number in range(len(ladder)):
        for manifest in ("master.m3u8", "manifest.mpd"):
            assert play(ffmpeg, out / "p" / manifest, tmp_path, picture=number).times == source
