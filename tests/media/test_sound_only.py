"""Files of sound alone, from sources with a picture and without."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import av
import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.plan import check_spec, first_task
from ffrtmp_ray.media.plan.make_sound import make_sound_plan
from ffrtmp_ray.media.plan.payloads import InputFile, PlanPayload
from ffrtmp_ray.media.presets import resolve
from ffrtmp_ray.media.probe.prober import Prober
from ffrtmp_ray.media.probe.source import SoundSource
from ffrtmp_ray.media.spec import Audio, AudioCodec, JobSpec, Ladder, Tracks
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.media.encoding import run
from tests.media.frames import onset
from tests.media.pipeline import (
    assert_nothing_left,
    assert_published,
    failure_of,
    run_job,
    tasks_of,
)


def _job(clip: Path, output: Path, audio: Audio | None = None, **fields: Any) -> JobSpec:
    ladder = Ladder(renditions=(), audio=audio or Audio())
    return JobSpec(input=str(clip), output=str(output), ladder=ladder, **fields)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".m4a", "aac"), (".mp4", "aac"), (".mka", "aac"), (".mkv", "aac"),
        (".opus", "opus"), (".ogg", "opus"), (".webm", "opus"),
        (".mp3", "mp3"), (".flac", "flac"), (".wav", "pcm_s16le"),
    ],
)  # fmt: skip
async def test_every_container_has_the_sound_that_it_can_hold(
    suffix: str, codec: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / f"a{suffix}"
    outcome = await run_job(_job(clips("sound.m4a"), target), toolbox)
    (output,) = assert_published(outcome, target)
    assert (output["audio"], output["video"]) == (f"{codec} 1ch", None)
    assert output["duration_seconds"] == pytest.approx(2, abs=0.05)
    with av.open(target) as made:
        assert [stream.type for stream in made.streams] == ["audio"]
        heard = sum(frame.samples for frame in made.decode(audio=0))
        assert heard / made.streams.audio[0].sample_rate == pytest.approx(2, abs=0.03)
    made = codec.partition("_")[0]
    told = f"the sound is made as {made}: such an output holds no aac"
    assert outcome.warnings == ([told] if codec != "aac" else [])
    assert_nothing_left(toolbox, out, target)


async def test_opus_that_is_asked_for_goes_into_mp4(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    job = _job(clips("sound.m4a"), out / "a.mp4", Audio(codec=AudioCodec.OPUS))
    (output,) = assert_published(await run_job(job, toolbox), out / "a.mp4")
    assert output["audio"] == "opus 1ch"


@pytest.mark.parametrize("name", ["late-sound.mp4", "cover.m4a", "stream.ts"])
async def test_the_sound_of_a_film_begins_with_its_first_sample(
    name: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    """Which may be what the source's encoder was primed with: 21 ms of AAC."""
    target = out / "a.m4a"
    assert_published(await run_job(_job(clips(name), target), toolbox), target)
    assert onset(target) == pytest.approx(0, abs=0.025)


def _samples(ffmpeg: str, path: Path) -> bytes:
    argv = [ffmpeg, "-v", "error", "-i", str(path), "-f", "s32le", "-c:a", "pcm_s32le", "-"]
    return subprocess.run(argv, capture_output=True, check=True).stdout


async def test_an_mp3_has_every_sample_and_says_who_made_it(
    ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    """Players leave out what primes the decoder, as the tag in the first frame says."""
    clip, target = tmp_path / "tone.wav", out / "a.mp3"
    tone = "sine=frequency=440:sample_rate=44100:duration=1.234"
    tags = ("-metadata", "title=Lärm", "-metadata", "artist=ann")
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", tone, *tags, clip)
    assert_published(await run_job(_job(clip, target), toolbox), target)
    assert len(_samples(ffmpeg, target)) == len(_samples(ffmpeg, clip))
    assert b"Info" in target.read_bytes()[:300]
    with av.open(target) as made:
        assert (made.metadata["title"], made.metadata["artist"]) == ("Lärm", "ann")
    assert target.read_bytes()[:4] == b"ID3\x03"


@pytest.mark.parametrize(
    ("form", "suffix"),
    [("pcm_s16le", ".flac"), ("pcm_s24le", ".flac"), ("pcm_s24le", ".wav"), ("pcm_s24le", ".mka")],
)
async def test_what_is_lossless_keeps_every_bit(
    form: str, suffix: str, ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    clip, target = tmp_path / "noise.wav", out / f"a{suffix}"
    noise = "anoisesrc=seed=1:sample_rate=48000:duration=0.5,pan=stereo|c0=c0|c1=0.3*c0"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", noise, "-c:a", form, clip)
    job = _job(clip, target, Audio(codec=AudioCodec.FLAC))
    (output,) = assert_published(await run_job(job, toolbox), target)
    assert _samples(ffmpeg, target) == _samples(ffmpeg, clip)
    assert output["audio"] == f"{form if suffix == '.wav' else 'flac'} 2ch"


async def test_a_trim_may_begin_right_before_the_end_of_a_packet(
    ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    """The encoder gets 14 samples first, which are fewer than a block of FLAC can have."""
    clip, target = tmp_path / "tone.m4a", out / "a.flac"
    tone = "sine=frequency=440:sample_rate=48000:duration=1"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", tone, "-c:a", "aac", clip)
    trim = Trim(start=(11 * 1024 - 14) / 48_000)
    job = _job(clip, target, Audio(codec=AudioCodec.FLAC), trim=trim)
    assert_published(await run_job(job, toolbox), target)
    assert len(_samples(ffmpeg, target)) == len(_samples(ffmpeg, clip)) - 4 * (11 * 1024 - 14)


async def test_sounds_keep_their_distance_to_each_other(
    ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    clip, target = tmp_path / "two.mka", out / "a.mka"
    tone = "sine=frequency=440:sample_rate=48000:duration=2"
    run(
        ffmpeg,
        *("-v", "error", "-itsoffset", "3.5", "-f", "lavfi", "-i", tone),
        *("-itsoffset", "3", "-f", "lavfi", "-i", tone, "-map", "0", "-map", "1"),
        *("-c:a", "pcm_s16le", "-copyts", clip),
    )
    job = _job(clip, target, Audio(tracks=Tracks.ALL))
    assert_published(await run_job(job, toolbox), target)
    with av.open(target) as made:
        assert len(made.streams.audio) == 2
    assert onset(target) == pytest.approx(0.5, abs=0.010)


async def test_a_part_of_it_is_taken(
    ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    """A beep one second in, of which a trim begins 0.7 seconds before."""
    clip, target = tmp_path / "beep.wav", out / "a.m4a"
    beep = r"aevalsrc=if(between(t\,1\,1.2)\,sin(2*PI*1000*t)\,0):s=48000:d=3"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", beep, clip)
    job = _job(clip, target, trim=Trim(start=0.3, duration=1.5))
    (output,) = assert_published(await run_job(job, toolbox), target)
    assert output["duration_seconds"] == pytest.approx(1.5, abs=0.03)
    assert onset(target) == pytest.approx(0.7, abs=0.010)


async def test_the_preset_for_it_makes_stereo(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    job = JobSpec(input=str(clips("plain.mp4")), output=str(out / "a.m4a"), preset="audio-only")
    assert list(await tasks_of(job, toolbox)) == ["audio0", "finish"]
    (output,) = assert_published(await run_job(job, toolbox), out / "a.m4a")
    assert output["audio"] == "aac 2ch"


# ------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        (
            "/out/a.wma",
            "end it with .mp4, .mkv, .webm, .m4a, .mka, .opus, .ogg, .mp3, .flac or .wav",
        ),
        ("/out/a", ".m4a"),
    ],
)
def test_other_files_than_those_are_refused_at_submission(output: str, remedy: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_spec(_job(Path("/in/a.wav"), Path(output)))
    assert caught.value.where == "output"
    assert remedy in (caught.value.remedy or "")


def test_a_picture_does_not_go_into_a_file_of_sound() -> None:
    job = resolve(JobSpec(input="/in/a.mp4", output="/out/a.m4a", preset="web"))
    with pytest.raises(InvalidRequest, match="does not say what file to make"):
        check_spec(job)


def test_a_comparison_of_pictures_needs_pictures() -> None:
    with pytest.raises(InvalidRequest) as caught:
        check_spec(_job(Path("/in/a.wav"), Path("/out/a.m4a"), quality=("psnr",)))
    assert caught.value.where == "quality"


def test_nothing_at_all_is_not_a_ladder() -> None:
    with pytest.raises(ValueError, match="give renditions"):
        Ladder(renditions=(), audio=None)


def test_more_channels_than_a_codec_has_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="mp3 has 2 channels at most, and 6") as caught:
        check_spec(_job(Path("/in/a.wav"), Path("/out/a.mp3"), Audio(channels=6)))
    assert caught.value.where == "ladder.audio.channels"


@pytest.mark.parametrize(
    ("clip", "kind", "reason"),
    [
        ("silent.mp4", FailureKind.BAD_INPUT, "silent.mp4 has no sound that can be decoded"),
        ("two-sounds.mkv", FailureKind.UNSUPPORTED, "opus holds one sound, and 2 are wanted"),
    ],
)
async def test_what_the_source_cannot_give_is_refused_by_the_plan(
    clip: str, kind: FailureKind, reason: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    job = _job(clips(clip), out / "a.opus", Audio(tracks=Tracks.ALL))
    outcome = await run_job(job, toolbox)
    assert list(outcome.ended) == ["plan"]
    assert failure_of(outcome.last)[0] is kind
    assert reason in failure_of(outcome.last)[1]


async def test_days_of_silence_before_a_sound_are_refused(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    """A damaged clock would have us write them."""
    clip = clips("two-sounds.mkv")
    found = await toolbox.prober.listen(clip)
    assert isinstance(found, SoundSource)
    first, second = found.audio
    later = second.model_copy(update={"start": first.start + 90_000})
    source = found.model_copy(update={"audio": (first, later)})
    job = _job(clip, out / "a.mka", Audio(tracks=Tracks.ALL))
    work = PlanPayload.model_validate(first_task(job, toolbox.settings).payload)
    file = InputFile(place=str(clip), bytes=1, version="", fingerprint="")
    with pytest.raises(InvalidRequest, match="more than a day after another"):
        make_sound_plan(work, source, file, job.output)


async def test_a_source_without_a_picture_is_refused_where_one_is_wanted(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    job = JobSpec(input=str(clips("sound.m4a")), output=str(out / "a.mp4"), preset="web")
    kind, reason = failure_of((await run_job(job, toolbox)).last)
    assert kind is FailureKind.BAD_INPUT
    assert "has no video stream, only sound" in reason


async def test_sound_of_few_samples_a_second_may_end_with_a_long_frame(
    toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    clip, target = tmp_path / "a.wav", out / "a.mka"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "sine=sample_rate=8000:duration=1.03", clip)
    assert_published(await run_job(_job(clip, target), toolbox), target)


@pytest.mark.parametrize(
    ("suffix", "coding"),
    [
        ("au", ()), ("tta", ()), ("wv", ("-c:a", "wavpack", "-f", "wv")),
        ("thd", ("-c:a", "truehd", "-strict", "-2")), ("latm", ("-c:a", "aac", "-f", "latm")),
    ],
)  # fmt: skip
async def test_sound_in_files_of_its_own_kind_is_read(
    suffix: str, coding: tuple[str, ...], prober: Prober, tmp_path: Path, ffmpeg: str
) -> None:
    clip = tmp_path / f"a.{suffix}"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "sine=sample_rate=48000:d=1", *coding, clip)
    found = await prober.listen(clip)
    assert isinstance(found, SoundSource), found
    assert found.audio[0].sample_rate == 48000
