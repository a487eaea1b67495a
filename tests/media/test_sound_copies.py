"""Sounds that are taken as they are: which, in what, and where their samples lie."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.plan.outputs import OutputKind
from ffrtmp_ray.media.plan.sound_copies import copy_of
from ffrtmp_ray.media.presets import resolve
from ffrtmp_ray.media.spec import (
    Audio,
    AudioCodec,
    Container,
    Copying,
    JobSpec,
    Loudness,
    Tracks,
    Verify,
)
from ffrtmp_ray.media.spec.packaging import HlsSegments, Packaging
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import AAC, X264, Clips
from tests.media.encoding import run
from tests.media.frames import onset
from tests.media.pipeline import Outcome, assert_published, failure_of, rendition, run_job, spec
from tests.media.planning import sound
from tests.media.playing import play, published

COPIED = Audio(copying=Copying.ALWAYS)
BOTH = Packaging(dash=True, segment_seconds=1)
BEEP = 1
PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=2")
TONE = rf"aevalsrc=if(between(t\,{BEEP}\,{BEEP}.2)\,sin(2*PI*1000*t)\,0):s=48000:d=2"
APART = 0.010
PACKET = 1024 / 48000
"""Seconds of AAC."""


@pytest.fixture(scope="module")
def beeps(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one clip in several containers, with a beep at two seconds."""
    folder = tmp_path_factory.mktemp("copies")
    sound = ("-f", "lavfi", "-i", TONE)
    run(ffmpeg, "-v", "error", *PICTURE, *sound, *X264, *AAC, folder / "beep.mp4")
    for name, words in {
        "beep.mkv": ("-c", "copy"),
        "beep.ts": ("-c", "copy"),
        "ac3.mkv": ("-c:v", "copy", "-c:a", "ac3", "-ac", "6"),
        "eac3.mkv": ("-c:v", "copy", "-c:a", "eac3", "-ac", "6"),
        "opus.mkv": ("-c:v", "copy", "-c:a", "libopus"),
        "pcm.mkv": ("-c:v", "copy", "-c:a", "pcm_s16le"),
    }.items():
        run(ffmpeg, "-v", "error", "-i", folder / "beep.mp4", *words, folder / name)
    return folder


def packets(path: Path, number: int = 0) -> list[bytes]:
    with av.open(path) as container:
        stream = container.streams.audio[number]
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


async def copied(clip: Path, target: Path, toolbox: Toolbox, **fields: Any) -> Outcome:
    job = spec(clip, target, audio=fields.pop("audio", COPIED), **fields)
    return await run_job(job, toolbox)


# ------------------------------------------------------------------------------ what is made


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("beep.mp4", "mp4"), ("beep.mkv", "mp4"), ("beep.mp4", "mkv"), ("pcm.mkv", "mkv"),
        ("opus.mkv", "webm"),
    ],
)  # fmt: skip
async def test_the_packets_are_the_sources_at_their_times(
    name: str, suffix: str, beeps: Path, toolbox: Toolbox, out: Path
) -> None:
    target = out / f"a.{suffix}"
    codec = {"codec": "vp9"} if suffix == "webm" else {}
    job = spec(beeps / name, target, rendition(**codec), audio=COPIED)
    outcome = await run_job(job, toolbox)
    (output,) = assert_published(outcome, target)
    with av.open(beeps / name) as source:
        of_source = source.streams.audio[0].codec_context.codec.canonical_name
    assert output["audio"].split()[0] == of_source
    assert packets(target) == packets(beeps / name)
    assert onset(target) == pytest.approx(BEEP, abs=APART)
    assert outcome.warnings == [f"copied from the source, and not encoded: {of_source}"]


async def test_the_headers_of_broadcasts_are_taken_off(
    beeps: Path, toolbox: Toolbox, out: Path
) -> None:
    """Each packet of AAC in a transport stream has one of seven bytes, which MP4 has not."""
    target = out / "a.mp4"
    assert_published(await copied(beeps / "beep.ts", target, toolbox), target)
    assert packets(target) == [packet[7:] for packet in packets(beeps / "beep.ts")]
    assert onset(target) == pytest.approx(BEEP, abs=APART)


@pytest.mark.parametrize("name", ["beep.mp4", "ac3.mkv", "eac3.mkv", "opus.mkv"])
async def test_a_package_has_the_sources_sound(
    name: str, beeps: Path, toolbox: Toolbox, out: Path, ffmpeg: str, tmp_path: Path
) -> None:
    outcome = await copied(beeps / name, out / "p", toolbox, packaging=BOTH)
    assert published(outcome)[:2] == ["master.m3u8", "manifest.mpd"]
    assert not outcome.replans
    channels = 6 if "ac3" in name else 1
    assert f'CHANNELS="{channels}"' in (out / "p" / "master.m3u8").read_text()
    for manifest in published(outcome)[:2]:
        played = play(ffmpeg, out / "p" / manifest, tmp_path)
        assert played.beep == pytest.approx(BEEP, abs=APART)


async def test_transport_streams_have_it_too(
    beeps: Path, toolbox: Toolbox, out: Path, ffmpeg: str, tmp_path: Path
) -> None:
    packaging = Packaging(hls=HlsSegments.TS, segment_seconds=1)
    outcome = await copied(beeps / "beep.mkv", out / "p", toolbox, packaging=packaging)
    assert published(outcome)[0] == "master.m3u8"
    played = play(ffmpeg, out / "p" / "master.m3u8", tmp_path)
    assert played.beep == pytest.approx(BEEP, abs=APART)


@pytest.mark.parametrize(
    ("name", "suffix"), [("beep.mp4", "mp4"), ("beep.mkv", "mkv"), ("pcm.mkv", "mkv")]
)
async def test_a_trim_begins_at_its_sample_and_ends_within_a_packet(
    name: str, suffix: str, beeps: Path, toolbox: Toolbox, out: Path
) -> None:
    target = out / f"a.{suffix}"
    job = spec(beeps / name, target, audio=COPIED)
    job = job.model_copy(update={"trim": Trim(start=0.52, duration=1.2)})
    outcome = await run_job(job, toolbox)
    assert_published(outcome, target)
    assert onset(target) == pytest.approx(BEEP - 0.52, abs=APART if name == "pcm.mkv" else 0.001)
    with av.open(target) as made:
        heard = [(float(f.time or 0), f.samples / f.sample_rate) for f in made.decode(audio=0)]
    begin, (last, length) = heard[0][0], heard[-1]
    assert begin == pytest.approx(0, abs=0.022 if name == "pcm.mkv" else 0.001)
    assert 1.2 - PACKET <= last + length <= 1.2 + PACKET
    assert "may end up to one of them after the trim" in outcome.warnings[-1]


async def test_a_sound_that_begins_later_keeps_its_distance(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    clip, target = clips("late-sound.mp4"), out / "a.mp4"
    assert_published(await copied(clip, target, toolbox), target)
    assert onset(target) == pytest.approx(onset(clip), abs=0.001)


@pytest.mark.parametrize(
    ("packaging", "manifests"),
    [(BOTH, ["master.m3u8", "manifest.mpd"]), (Packaging(hls=HlsSegments.TS), ["master.m3u8"])],
)
async def test_a_sound_that_begins_later_keeps_its_distance_in_packages(
    packaging: Packaging,
    manifests: list[str],
    toolbox: Toolbox,
    clips: Clips,
    out: Path,
    ffmpeg: str,
    tmp_path: Path,
) -> None:
    clip = clips("late-sound.mp4")
    outcome = await copied(clip, out / "p", toolbox, packaging=packaging)
    assert published(outcome)[: len(manifests)] == manifests
    for manifest in manifests:
        played = play(ffmpeg, out / "p" / manifest, tmp_path)
        assert played.beep == pytest.approx(onset(clip), abs=APART)


async def test_all_sounds_are_copied_with_their_languages(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    clip, target = clips("two-sounds.mkv"), out / "a.mp4"
    audio = Audio(copying=Copying.ALWAYS, tracks=Tracks.ALL)
    assert_published(await copied(clip, target, toolbox, audio=audio), target)
    with av.open(target) as made:
        assert [sound.language for sound in made.streams.audio] == ["eng", "fra"]
    assert [packets(target, n) for n in (0, 1)] == [packets(clip, n) for n in (0, 1)]


async def test_a_file_of_sound_alone_is_a_copy(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    clip, target = clips("plain.mp4"), out / "a.m4a"
    audio = Audio(copying=Copying.ALWAYS)
    job = JobSpec.model_validate(
        {
            "input": str(clip),
            "output": str(target),
            "ladder": {"renditions": [], "audio": audio.model_dump()},
        }
    )
    assert_published(await run_job(job, toolbox), target)
    assert packets(target) == packets(clip)


async def test_the_preset_for_another_container_changes_nothing(
    beeps: Path, toolbox: Toolbox, out: Path
) -> None:
    target = out / "a.mkv"
    job = JobSpec(input=str(beeps / "beep.mp4"), output=str(target), preset="passthrough")
    assert_published(await run_job(job, toolbox), target)
    assert packets(target) == packets(beeps / "beep.mp4")


# ------------------------------------------------------------------------------ packets that lack


@pytest.fixture
def lossy(ffmpeg: str, tmp_path: Path, beeps: Path) -> Path:
    """Packets of its sound are missing for a third of a second."""
    path = tmp_path / "lossy.mkv"
    dropped = r"noise=drop=between(pts*tb\,0.3\,0.6)"
    run(ffmpeg, "-v", "error", "-i", beeps / "beep.mp4", "-c", "copy", "-bsf:a", dropped, path)
    return path


async def test_a_sound_with_gaps_is_encoded_where_it_may_be(
    lossy: Path, toolbox: Toolbox, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = out / "a.mp4"
    monkeypatch.setattr("ffrtmp_ray.media.plan.sound_copies._suits", lambda *_: True)
    audio = Audio(copying=Copying.ALLOWED)
    outcome = await copied(lossy, target, toolbox, audio=audio)
    assert_published(outcome, target)
    assert onset(target) == pytest.approx(BEEP, abs=APART)
    assert packets(target) != packets(lossy)


async def test_a_sound_that_cannot_be_decoded_is_encoded_where_it_may_be(
    beeps: Path,
    toolbox: Toolbox,
    out: Path,
    ffmpeg: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Players may end where they cannot decode what was copied."""
    damaged, target = tmp_path / "damaged.mp4", out / "a.mp4"
    noise = r"noise=amount=if(between(pts*tb\,1.4\,1.8)\,10\,0)"
    run(ffmpeg, "-v", "error", "-i", beeps / "beep.mp4", "-c", "copy", "-bsf:a", noise, damaged)
    monkeypatch.setattr("ffrtmp_ray.media.plan.sound_copies._suits", lambda *_: True)
    audio = Audio(copying=Copying.ALLOWED)
    job = spec(damaged, target, audio=audio).model_copy(update={"verify": Verify.FULL})
    assert_published(await run_job(job, toolbox), target)
    assert onset(target) == pytest.approx(BEEP, abs=APART)
    run(ffmpeg, "-v", "error", "-xerror", "-i", target, "-f", "null", "-")


async def test_a_sound_with_gaps_is_copied_where_it_must_be_and_that_is_said(
    lossy: Path, toolbox: Toolbox, out: Path
) -> None:
    target = out / "a.mp4"
    outcome = await copied(lossy, target, toolbox)
    assert_published(outcome, target)
    assert packets(target) == packets(lossy)
    assert "lacks 0.30 s" in outcome.warnings[-1]
    assert onset(target) == pytest.approx(BEEP, abs=APART)


# ------------------------------------------------------------------------------ what is decided

FILE = OutputKind(folder=False, container=Container.MP4)
ZERO = Fraction(0)


def _copy(audio: Audio, kind: OutputKind = FILE, **fields: Any) -> Any:
    return copy_of(audio, sound(**({"start": ZERO} | fields)), kind, ZERO)


def test_eight_channels_are_not_copied_into_a_transport_stream() -> None:
    packaging = Packaging(hls=HlsSegments.TS)
    kind = OutputKind(folder=True, container=Container.MP4, packaging=packaging)
    assert _copy(COPIED, kind, channels=6)
    with pytest.raises(InvalidRequest, match="it has 8 channels, and a transport stream"):
        _copy(COPIED, kind, channels=8)


def test_what_may_be_copied_is_what_would_be_made_of_it() -> None:
    allowed = Audio(copying=Copying.ALLOWED, bitrate=128_000)
    assert _copy(allowed, bitrate=130_000)
    assert not _copy(allowed, bitrate=192_000)
    assert not _copy(allowed, bitrate=None)
    assert not _copy(allowed, bitrate=130_000, codec="ac3")
    assert not _copy(allowed.model_copy(update={"channels": 1}), bitrate=130_000)
    assert _copy(allowed.model_copy(update={"channels": 2}), bitrate=130_000)
    assert not _copy(allowed.model_copy(update={"loudness": Loudness()}), bitrate=130_000)
    assert not _copy(allowed.model_copy(update={"codec": AudioCodec.OPUS}), bitrate=130_000)
    assert not _copy(Audio(), bitrate=130_000)


@pytest.mark.parametrize(
    ("codec", "kind", "reason", "remedy"),
    [
        ("pcm_s16le", FILE, "it is pcm_s16le, which .mp4 cannot hold", "make an .mkv or .mka"),
        (
            "aac",
            OutputKind(folder=False, container=Container.WEBM),
            "it is aac, which .webm cannot hold",
            "make an .mp4 or .mkv or .m4a or .mka",
        ),
        (
            "mp3",
            OutputKind(folder=True, container=Container.MP4, packaging=BOTH),
            "which a package cannot hold",
            "set `copying` to allowed",
        ),
        (
            "opus",
            OutputKind(
                folder=True, container=Container.MP4, packaging=Packaging(hls=HlsSegments.TS)
            ),
            "which a transport stream of HLS cannot hold",
            "set `copying` to allowed",
        ),
    ],
)
def test_what_no_such_output_can_hold_is_refused_with_what_can(
    codec: str, kind: OutputKind, reason: str, remedy: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _copy(COPIED, kind, codec=codec)
    assert caught.value.where == "ladder.audio.copying"
    assert reason in str(caught.value)
    assert remedy in (caught.value.remedy or "")


async def test_the_job_says_so(beeps: Path, toolbox: Toolbox, out: Path) -> None:
    outcome = await copied(beeps / "pcm.mkv", out / "a.mp4", toolbox)
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.UNSUPPORTED
    assert "the sound cannot be copied: it is pcm_s16le, which .mp4 cannot hold" in reason


def test_a_sound_that_begins_long_after_its_picture_is_in_no_segments() -> None:
    kind = OutputKind(folder=True, container=Container.MP4, packaging=BOTH)
    assert _copy(COPIED, kind, start=Fraction(1, 2))
    with pytest.raises(InvalidRequest, match=r"begins 2\.0 s after the picture"):
        _copy(COPIED, kind, start=Fraction(2))
    assert _copy(COPIED, start=Fraction(2))


@pytest.mark.parametrize("change", [{"channels": 2}, {"loudness": Loudness()}])
def test_what_is_always_copied_cannot_be_changed(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="leave out `channels` and `loudness`"):
        Audio(copying=Copying.ALWAYS, **change)


def test_loudness_is_not_set_of_a_preset_that_copies() -> None:
    job = JobSpec(input="/in/a.mp4", output="/out/a.mp4", preset="passthrough", loudness=-16)
    with pytest.raises(InvalidRequest) as caught:
        resolve(job)
    assert caught.value.where == "loudness"


def test_a_job_copies_the_sound_that_its_preset_would_change() -> None:
    wish = {"sound_copying": Copying.ALWAYS}
    job = resolve(JobSpec(input="/in/a", output="/out/a.m4a", preset="audio-only", **wish))
    assert job.ladder is not None
    assert job.ladder.audio is not None
    assert (job.ladder.audio.copying, job.ladder.audio.channels) == (Copying.ALWAYS, None)


def test_copy_is_no_codec_but_told_where_it_is_said() -> None:
    with pytest.raises(ValueError, match="set `copying` to always"):
        Audio.model_validate({"codec": "copy"})
