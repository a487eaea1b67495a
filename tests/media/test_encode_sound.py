"""Sound stays with its picture, in layouts that players know."""

from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from ffrtmp_ray.media.encode.audio import audio_argv
from ffrtmp_ray.media.encode.work import AudioWork
from ffrtmp_ray.media.spec import Audio, AudioCodec
from tests.media.encoding import look, run

STREAMED = (AudioCodec.AAC, AudioCodec.OPUS)
BEEP = r"aevalsrc=if(between(t\,1\,1.2)\,sin(2*PI*1000*t)\,0):s=48000:d=3"
"""One second into three seconds of silence."""


def first_sound(path: Path) -> Fraction:
    """When the first beep starts, in seconds on the file's own clock."""
    with av.open(path) as container:
        for frame in container.decode(audio=0):
            samples = np.abs(frame.to_ndarray()).max(axis=0)
            assert samples.dtype == np.float32, "loudness is measured in floats"
            (loud,) = np.nonzero(samples > 0.2)
            if loud.size:
                assert frame.pts is not None
                return frame.pts * frame.time_base + Fraction(int(loud[0]), frame.sample_rate)
    raise AssertionError(f"nothing is heard in {path.name}")


def assert_unbroken(path: Path) -> None:
    """Each frame starts where the one before it ends."""
    with av.open(path) as container:
        frames = [(frame.pts, frame.samples) for frame in container.decode(audio=0)]
    assert all(
        start + samples == following
        for (start, samples), (following, _) in itertools.pairwise(frames)
    )


@pytest.mark.parametrize("codec", STREAMED)
@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("offset", [0, 0.5, -0.5])
def test_sound_stays_with_its_picture(
    codec: AudioCodec, container: str, offset: float, ffmpeg: str, tmp_path: Path
) -> None:
    """The sound starts `offset` seconds later than the picture."""
    clip, out = tmp_path / f"beep.{container}", tmp_path / "sound.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc2=size=64x64:duration=3")
    sound = ("-itsoffset", str(offset), "-f", "lavfi", "-i", BEEP, "-map", "0", "-map", "1")
    encoders = ("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac")
    run(ffmpeg, "-v", "error", *picture, *sound, *encoders, clip)
    work = AudioWork(
        stream=1,
        audio=Audio(codec=codec),
        source_channels=1,
        source_rate=48000,
        picture_start=look(clip).times[0],
    )
    run(*audio_argv(ffmpeg, str(clip), work, output=str(out)))
    with av.open(out) as made:
        assert next(made.decode(audio=0)).pts == 0
    assert float(first_sound(out)) == pytest.approx(1 + offset, abs=0.010)


@pytest.mark.parametrize("codec", [AudioCodec.MP3, AudioCodec.FLAC, AudioCodec.PCM])
def test_other_codecs_do_not_move_a_sound(codec: AudioCodec, ffmpeg: str, tmp_path: Path) -> None:
    clip, out = tmp_path / "beep.wav", tmp_path / "sound.mp4"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", BEEP, clip)
    work = AudioWork(stream=0, audio=Audio(codec=codec), source_channels=1, source_rate=48000)
    run(*audio_argv(ffmpeg, str(clip), work, output=str(out)))
    with av.open(out) as container:
        heard = np.concatenate([_mono(frame) for frame in container.decode(audio=0)])
    assert 3 * 48000 <= len(heard) < 3 * 48000 + 1152
    assert np.flatnonzero(np.abs(heard) > 0.2)[0] / 48000 == pytest.approx(1, abs=0.002)


def _mono(frame: av.AudioFrame) -> np.ndarray:
    """Of samples in any form, from -1 to 1."""
    samples = frame.to_ndarray()[0]
    whole = np.issubdtype(samples.dtype, np.integer)
    return samples / np.iinfo(samples.dtype).max if whole else samples


@pytest.mark.parametrize("codec", STREAMED)
@pytest.mark.parametrize("until", [0.8, 0.36, 0.31], ids=["half a second", "packets", "one packet"])
def test_a_gap_in_the_sound_is_filled_with_silence(
    until: float, codec: AudioCodec, ffmpeg: str, tmp_path: Path
) -> None:
    """Packets are missing before the beep. A gap in the times alone would be closed by players
    that only count samples."""
    clip, out = tmp_path / "gap.mkv", tmp_path / "sound.mp4"
    lossy = rf"aselect=not(between(t\,0.29\,{until}))"
    sound = f"{BEEP},{lossy},aresample=44100"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", sound, "-c:a", "pcm_f32le", clip)
    work = AudioWork(stream=0, audio=Audio(codec=codec), source_channels=1, source_rate=44100)
    run(*audio_argv(ffmpeg, str(clip), work, output=str(out)))
    assert float(first_sound(out)) == pytest.approx(1, abs=0.010)
    assert_unbroken(out)


def test_a_long_gap_is_filled_to_the_sample(ffmpeg: str, tmp_path: Path) -> None:
    """Piece by piece: with nothing of what parts of it come from left in the sound."""
    clip, out = tmp_path / "gap.mkv", tmp_path / "sound.mp4"
    late = "sine=frequency=1000:sample_rate=48000:duration=41"
    sound = rf"{late},aselect=lt(t\,1)+gte(t\,37.3)"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", sound, "-c:a", "pcm_f32le", clip)
    audio = Audio(codec=AudioCodec.FLAC)
    work = AudioWork(stream=0, audio=audio, source_channels=1, source_rate=48000)
    run(*audio_argv(ffmpeg, str(clip), work, output=str(out)))
    with av.open(out) as container:
        heard = np.concatenate([_mono(frame) for frame in container.decode(audio=0)])
    loud = np.flatnonzero(np.abs(heard) > 0.001)
    last, first = (loud[(bound := np.argmax(np.diff(loud)))], loud[bound + 1])
    assert len(heard) == 41 * 48000
    assert last / 48000 == pytest.approx(1, abs=0.03)
    assert first / 48000 == pytest.approx(37.3, abs=0.03)
    tone = np.arange(len(heard)) * 1000 / 48000 % 1
    assert np.corrcoef(heard[first:], np.sin(2 * np.pi * tone[first:]))[0, 1] > 0.999


@pytest.mark.parametrize("codec", AudioCodec)
def test_a_trim_within_a_gap_is_silent(codec: AudioCodec, ffmpeg: str, tmp_path: Path) -> None:
    clip, out = tmp_path / "gap.mkv", tmp_path / "sound.mp4"
    sound = rf"{BEEP},aselect=not(between(t\,0.2\,0.9))"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", sound, "-c:a", "pcm_f32le", clip)
    work = AudioWork(
        stream=0,
        audio=Audio(codec=codec),
        source_channels=1,
        source_rate=48000,
        picture_start=Fraction(4, 10),
        length=Fraction(3, 10),
    )
    run(*audio_argv(ffmpeg, str(clip), work, output=str(out)))
    with av.open(out) as container:
        heard = np.concatenate([_mono(frame) for frame in container.decode(audio=0)])
    assert 0 < len(heard) <= 0.3 * 48000
    assert np.abs(heard).max() < 0.001


def test_mp3_of_a_telephone_has_a_rate_that_mp4_knows(ffmpeg: str, tmp_path: Path) -> None:
    clip, out = tmp_path / "beep.wav", tmp_path / "sound.mp4"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", BEEP, "-ar", "8000", clip)
    audio = Audio(codec=AudioCodec.MP3)
    work = AudioWork(stream=0, audio=audio, source_channels=1, source_rate=8000)
    run(*audio_argv(ffmpeg, str(clip), work, output=str(out)))
    assert float(first_sound(out)) == pytest.approx(1, abs=0.010)


@pytest.mark.parametrize("codec", STREAMED)
@pytest.mark.parametrize("change", ["pan=5.1|c0=c0|c1=c0", "aresample=32000"])
def test_sound_that_changes_its_form_goes_on(
    change: str, codec: AudioCodec, ffmpeg: str, tmp_path: Path
) -> None:
    """Broadcasts go from stereo to 5.1 and back with every film and commercial."""
    parts = []
    for start, form in ((0, "anull"), (1, change)):
        part = tmp_path / f"{start}.ts"
        tone = f"sine=frequency=1000:sample_rate=48000:duration=1,pan=stereo|c0=c0|c1=c0,{form}"
        later = ("-output_ts_offset", str(start), "-muxdelay", "0", "-muxpreload", "0")
        run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", tone, "-c:a", "ac3", *later, part)
        parts.append(part.read_bytes())
    clip, out = tmp_path / "change.ts", tmp_path / "out.mp4"
    clip.write_bytes(b"".join(parts))
    work = AudioWork(stream=0, audio=Audio(codec=codec), source_channels=2, source_rate=48000)
    run(*audio_argv(ffmpeg, str(clip), work, output=str(out)))
    assert_unbroken(out)
    with av.open(out) as container:
        loud = [
            float(frame.time or 0)
            for frame in container.decode(audio=0)
            if np.abs(frame.to_ndarray()).max() > 0.02
        ]
    assert loud[0] == pytest.approx(0, abs=0.1)
    assert loud[-1] == pytest.approx(2, abs=0.1)
    assert all(after - before < 0.05 for before, after in itertools.pairwise(loud))


@pytest.mark.parametrize("codec", STREAMED)
@pytest.mark.parametrize(("channels", "layout"), [(None, "5.1"), (2, "stereo"), (1, "mono")])
def test_surround_sound_becomes_a_layout_that_players_know(
    codec: AudioCodec, channels: int | None, layout: str, ffmpeg: str, tmp_path: Path
) -> None:
    """AC-3 has its surround speakers at the sides, which Opus and AAC do not."""
    clip, out = tmp_path / "surround.mkv", tmp_path / "out.mp4"
    sides = "sine=duration=1:sample_rate=48000,pan=5.1(side)|c0=c0|c1=c0|c4=c0"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", sides, "-c:a", "ac3", clip)
    with av.open(clip) as container:
        assert container.streams.audio[0].layout.name == "5.1(side)"
    audio = Audio(codec=codec, channels=channels, bitrate=1_024_000)
    work = AudioWork(stream=0, audio=audio, source_channels=6, source_rate=48000)
    run(*audio_argv(ffmpeg, str(clip), work, output=str(out)))
    with av.open(out) as container:
        assert container.streams.audio[0].layout.name == layout
