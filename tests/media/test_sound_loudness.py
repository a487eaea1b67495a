"""Sounds are made as loud as is wanted, by EBU R128, and stay where they are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import pytest

from ffrtmp_ray.media.encode.loudness import (
    MEASURE,
    MeasuredLoudness,
    is_linear,
    level,
    measured,
    next_gain,
)
from ffrtmp_ray.media.spec import Audio, AudioCodec
from ffrtmp_ray.media.spec.tracks import Loudness
from ffrtmp_ray.media.toolbox import Toolbox
from tests.media.encoding import run
from tests.media.frames import onset
from tests.media.pipeline import assert_published, run_job, spec

SUMMARY = """[Parsed_ebur128_0 @ 0x7f6a44001c00] [info] Summary:

  Integrated loudness:
    I:         -38.1 LUFS
    Threshold: -48.2 LUFS

  Loudness range:
    LRA:         3.5 LU
    Threshold: -58.1 LUFS
    LRA low:   -40.1 LUFS
    LRA high:  -36.6 LUFS

  True peak:
    Peak:      {peak} dBFS
[out#0/null @ 0x55d85b08d300] [info] video:0KiB audio:11250KiB
"""


def test_the_summary_of_a_measurement_is_read() -> None:
    found = measured(SUMMARY.format(peak="-37.6"))
    assert found == MeasuredLoudness(integrated=-38.1, range=3.5, true_peak=-37.6)


def test_silence_has_a_peak_of_minus_infinity_and_is_not_heard() -> None:
    found = measured(SUMMARY.format(peak="-inf").replace("-38.1", "-70.0"))
    assert found is not None
    assert not found.is_heard


def test_a_log_without_a_summary_says_nothing() -> None:
    assert measured("[info] Stream mapping:") is None


def test_one_gain_is_enough_where_the_peak_allows_it() -> None:
    before = MeasuredLoudness(integrated=-30, range=5, true_peak=-10)
    assert is_linear(Loudness(target=-23), before)
    assert not is_linear(Loudness(target=-16), before)
    assert level(Loudness(target=-23), before) == "volume=7.00dB"


def _loudness(ffmpeg: str, path: Path) -> MeasuredLoudness:
    argv = [ffmpeg, "-hide_banner", "-nostats", "-i", str(path), "-map", "0:a"]
    ended = subprocess.run(
        [*argv, "-af", MEASURE, "-f", "null", "-"], capture_output=True, text=True, check=True
    )
    found = measured(ended.stderr)
    assert found is not None
    return found


def _clip(ffmpeg: str, folder: Path, sound: str) -> Path:
    path = folder / "clip.mkv"
    picture = ("-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=5")
    encoders = ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "pcm_s16le")
    run(ffmpeg, "-v", "error", *picture, "-f", "lavfi", "-i", sound, *encoders, path)
    return path


QUIET = "sine=frequency=1000:sample_rate=48000:duration=4,volume=-20dB,adelay=1000:all=1"
SHORT = "sine=frequency=1000:sample_rate=48000:duration=0.7,volume=-20dB"
PEAKS = "anoisesrc=color=pink:amplitude=0.5:seed=1:sample_rate=48000:duration=5"
"""Noise that one gain would bring beyond full scale."""


@pytest.mark.parametrize("codec", [AudioCodec.AAC, AudioCodec.OPUS])
@pytest.mark.parametrize(
    ("sound", "target", "compressed"),
    [(QUIET, -23, False), (SHORT, -23, False), (PEAKS, -13, True)],
)
async def test_a_sound_becomes_as_loud_as_is_wanted(
    sound: str,
    target: float,
    compressed: bool,
    codec: AudioCodec,
    ffmpeg: str,
    toolbox: Toolbox,
    out: Path,
    tmp_path: Path,
) -> None:
    clip, made = _clip(ffmpeg, tmp_path, sound), out / "a.mp4"
    audio = Audio(codec=codec, loudness=Loudness(target=target))
    (output,) = assert_published(await run_job(spec(clip, made, audio=audio), toolbox), made)
    (said,) = output["loudness"]
    assert said["compressed"] == compressed
    assert said["before_lufs"] == pytest.approx(_loudness(ffmpeg, clip).integrated, abs=0.2)
    after = _loudness(ffmpeg, made)
    assert after.integrated == pytest.approx(target, abs=0.5)
    assert after.true_peak < 0


CLICKS = "aevalsrc=0.05*sin(2*PI*220*t)+0.8*exp(-30*mod(t\\,1.5))*sin(2*PI*900*t):s=48000:d=5"
"""Peaks over little else: with a dynamic compressor it came out 2 to 9 LU below its target."""


async def test_a_sound_of_peaks_is_as_loud_as_is_wanted_with_its_peak_kept(
    ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    clip, made = _clip(ffmpeg, tmp_path, CLICKS), out / "a.mp4"
    audio = Audio(bitrate=256_000, loudness=Loudness(target=-16))
    assert_published(await run_job(spec(clip, made, audio=audio), toolbox), made)
    after = _loudness(ffmpeg, made)
    assert after.integrated == pytest.approx(-16, abs=0.5)
    assert after.true_peak <= 0


def test_a_gain_before_a_limiter_is_raised_until_the_target_is_met_or_it_is_too_high() -> None:
    wanted = Loudness(target=-16)

    def tried(gain: float, integrated: float) -> float | None:
        return next_gain(wanted, gain, MeasuredLoudness(integrated, 5, -1))

    assert tried(10, -18) == 12
    assert tried(12, -16.2) is None
    assert tried(12, -15) == 11
    assert tried(29, -20) == 30
    assert tried(30, -17) is None


async def test_levelling_moves_nothing_and_keeps_the_rate(
    ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    """By either way: peaks are limited at a rate of its own, and looked at ahead."""
    late = f"{PEAKS},adelay=1000:all=1"
    for sound in (QUIET, late):
        clip, made = _clip(ffmpeg, tmp_path, sound), out / f"{len(sound)}.mp4"
        audio = Audio(loudness=Loudness(target=-13))
        assert_published(await run_job(spec(clip, made, audio=audio), toolbox, job=made.stem), made)
        assert onset(made) == pytest.approx(1, abs=0.010)
        with av.open(made) as container:
            (heard,) = container.streams.audio
            assert heard.sample_rate == 48000
        clip.unlink()


@pytest.mark.parametrize(
    "sound", ["anullsrc=sample_rate=48000:duration=5", "sine=sample_rate=48000:duration=0.1"]
)
async def test_what_has_no_loudness_is_left_as_it_is(
    sound: str, ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    clip, made = _clip(ffmpeg, tmp_path, sound), out / "a.mp4"
    outcome = await run_job(spec(clip, made, audio=Audio(loudness=Loudness())), toolbox)
    (output,) = assert_published(outcome, made)
    assert not output["loudness"]
    assert outcome.warnings == [
        "the sound of stream 1 is silent, or too short to have a loudness: it is left as it is"
    ]
