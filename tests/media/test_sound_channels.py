"""Channels: what is mixed into which, how loud, and that nothing clips."""

from __future__ import annotations

import wave
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ffrtmp_ray.media.encode.audio import audio_argv
from ffrtmp_ray.media.encode.work import AudioWork
from ffrtmp_ray.media.spec import Audio, AudioCodec
from tests.media.encoding import run

RATE = 48000
TONES = {"FL": 400, "FR": 600, "FC": 900, "LFE": 60, "SL": 1300, "SR": 1700}
"""One for each channel of 5.1, in hertz."""


def _levels(path: Path) -> list[dict[int, float]]:
    """The amplitude of each of the tones, in each channel."""
    with av.open(path) as container:
        samples = np.concatenate(
            [frame.to_ndarray() for frame in container.decode(audio=0)], axis=1
        )
    middle = samples[:, RATE // 2 : RATE // 2 + RATE]  # one second: one bin a hertz
    spectra = np.abs(np.fft.rfft(middle, axis=1)) / (RATE / 2)
    return [{hertz: float(spectrum[hertz]) for hertz in TONES.values()} for spectrum in spectra]


def _mixed(ffmpeg: str, clip: Path, out: Path, *, channels: int | None, of: int) -> Path:
    work = AudioWork(
        stream=0,
        audio=Audio(codec=AudioCodec.AAC, channels=channels, bitrate=1_024_000),
        source_channels=of,
        source_rate=RATE,
    )
    run(*audio_argv(ffmpeg, str(clip), work, output=str(out)))
    return out


@pytest.fixture
def surround(ffmpeg: str, tmp_path: Path) -> Path:
    """Each channel has a tone of its own at half of full scale."""
    path = tmp_path / "surround.mkv"
    tones = "|".join(f"0.5*sin(2*PI*{hertz}*t)" for hertz in TONES.values())
    graph = f"aevalsrc={tones}:channel_layout=5.1(side):sample_rate={RATE}:duration=2"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", graph, "-c:a", "pcm_f32le", path)
    return path


def test_stereo_of_surround_has_the_coefficients_of_bs775(
    surround: Path, ffmpeg: str, tmp_path: Path
) -> None:
    left, right = _levels(_mixed(ffmpeg, surround, tmp_path / "out.mp4", channels=2, of=6))
    full = 0.5 / (1 + 2 * 0.7071)
    for side, own, other in (
        (left, ("FL", "SL"), ("FR", "SR")),
        (right, ("FR", "SR"), ("FL", "SL")),
    ):
        assert side[TONES[own[0]]] == pytest.approx(full, rel=0.05)
        assert side[TONES["FC"]] == pytest.approx(full * 0.7071, rel=0.05)
        assert side[TONES[own[1]]] == pytest.approx(full * 0.7071, rel=0.05)
        assert max(side[TONES[each]] for each in (*other, "LFE")) < 0.005


def test_mono_of_surround_has_all_but_the_low_frequencies(
    surround: Path, ffmpeg: str, tmp_path: Path
) -> None:
    (mono,) = _levels(_mixed(ffmpeg, surround, tmp_path / "out.mp4", channels=1, of=6))
    front = mono[TONES["FL"]]
    assert mono[TONES["FR"]] == pytest.approx(front, rel=0.05)
    assert mono[TONES["FC"]] == pytest.approx(front * 1.4142, rel=0.05)
    assert mono[TONES["SL"]] == pytest.approx(front * 0.7071, rel=0.05)
    assert mono[TONES["LFE"]] < 0.005


def test_channels_that_are_kept_are_left_as_they_are(
    surround: Path, ffmpeg: str, tmp_path: Path
) -> None:
    channels = _levels(_mixed(ffmpeg, surround, tmp_path / "out.mp4", channels=None, of=6))
    for levels, own in zip(channels, TONES.values(), strict=True):
        assert levels.pop(own) == pytest.approx(0.5, rel=0.05)
        assert max(levels.values()) < 0.005


@pytest.mark.parametrize("channels", [1, 2])
def test_full_scale_in_all_channels_does_not_clip(
    channels: int, ffmpeg: str, tmp_path: Path
) -> None:
    clip = tmp_path / "loud.mkv"
    loud = "|".join(["sin(2*PI*400*t)"] * 6)
    graph = f"aevalsrc={loud}:channel_layout=5.1(side):sample_rate={RATE}:duration=2"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", graph, "-c:a", "pcm_f32le", clip)
    for levels in _levels(_mixed(ffmpeg, clip, tmp_path / "out.mp4", channels=channels, of=6)):
        assert 0.9 < levels[400] < 1.01


@pytest.mark.parametrize("count", [3, 5, 7, 12])
def test_channels_without_a_layout_become_one_that_players_know(
    count: int, ffmpeg: str, tmp_path: Path
) -> None:
    """As recorders write them: so many channels, and no word on where they belong."""
    clip = tmp_path / "plain.wav"
    tone: NDArray[np.float64] = np.sin(2 * np.pi * 400 * np.arange(2 * RATE) / RATE) / 2
    with wave.open(str(clip), "wb") as file:
        file.setnchannels(count)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.repeat(tone, count) * 32767).astype("<i2").tobytes())
    (left, right) = _levels(_mixed(ffmpeg, clip, tmp_path / "out.mp4", channels=2, of=count))
    assert 0.3 < left[400] < 0.55
    assert 0.3 < right[400] < 0.55
