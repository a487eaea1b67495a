"""Whole jobs with real ffmpeg: what comes out, and what is said when nothing can."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.spec import Audio, Codec
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.media.encoding import run
from tests.media.frames import assert_same_frames, onset, times
from tests.media.pipeline import (
    assert_nothing_left,
    assert_published,
    failure_of,
    rendition,
    run_job,
    spec,
)

# ------------------------------------------------------------------------------ what comes out

AWKWARD = (
    "plain.mp4", "silent.mp4", "odd.mkv", "tenbit.mkv", "rotated.mp4", "vfr.mp4",
    "late-sound.mp4", "late-picture.mkv", "stream.ts", "anamorphic.mp4", "cover.mp4",
    "latin1.mkv", "two-sounds.mkv", "edited.mp4", "interlaced.ts", "one-frame.mp4",
    "telephone.mp4", "rgb.gif", "identity.mp4", "pal.mp4",
)  # fmt: skip
OTHER_CONTAINERS = (".mkv", Codec.HEVC), (".webm", Codec.VP9)
"""Each with a codec that is fast there."""


@pytest.mark.parametrize("name", AWKWARD)
async def test_awkward_clips_keep_every_frame_at_its_time(
    name: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    outcome = await run_job(spec(clips(name), target), toolbox)
    assert_published(outcome, target)
    assert_same_frames(clips(name), target)
    assert_nothing_left(toolbox, out, target)


@pytest.mark.parametrize(("suffix", "codec"), OTHER_CONTAINERS)
@pytest.mark.parametrize(
    "name", ["telephone.mp4", "vfr.mp4", "late-picture.mkv", "edited.mp4", "one-frame.mp4"]
)
async def test_they_do_in_matroska_and_webm_too(
    name: str, suffix: str, codec: Codec, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / f"a{suffix}"
    outcome = await run_job(spec(clips(name), target, rendition(codec=codec)), toolbox)
    assert_published(outcome, target)
    assert_same_frames(clips(name), target)


async def test_a_picture_that_changes_its_size_goes_on(
    toolbox: Toolbox, out: Path, ffmpeg: str, tmp_path: Path
) -> None:
    parts = []
    for start, size in ((0, "128x72"), (1, "64x48")):
        part = tmp_path / f"{start}.ts"
        source = ("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=1")
        later = ("-output_ts_offset", str(start), "-muxdelay", "0", "-muxpreload", "0")
        encoder = ("-c:v", "libx264", "-bf", "0", "-pix_fmt", "yuv420p")
        run(ffmpeg, "-v", "error", *source, *encoder, *later, part)
        parts.append(part.read_bytes())
    clip, target = tmp_path / "change.ts", out / "a.mp4"
    clip.write_bytes(b"".join(parts))
    outcome = await run_job(spec(clip, target), toolbox)
    (output,) = assert_published(outcome, target)
    assert output["video"] == "h264 128x72"
    assert_same_frames(clip, target)


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", Codec.H264), (".webm", Codec.VP9)])
async def test_real_clips_keep_every_frame_at_its_time_or_are_refused_in_a_sentence(
    suffix: str, codec: Codec, toolbox: Toolbox, real_clip: Path, out: Path
) -> None:
    target = out / f"a{suffix}"
    outcome = await run_job(spec(real_clip, target, rendition(codec=codec, height=90)), toolbox)
    if list(outcome.ended) == ["plan"]:
        kind, reason = failure_of(outcome.last)
        if kind is FailureKind.UNSUPPORTED:
            assert (codec, "HDR" in reason) == (Codec.H264, True)
        else:
            assert kind is FailureKind.BAD_INPUT
            assert real_clip.name in reason
            assert "no video" in reason or "damaged" in reason
        assert_nothing_left(toolbox, out)
        return
    assert_published(outcome, target)
    assert_same_frames(real_clip, target)
    assert_nothing_left(toolbox, out, target)


@pytest.mark.parametrize(
    ("suffix", "codec", "audio"),
    [
        (".mp4", Codec.HEVC, "aac"), (".mkv", Codec.H264, "aac"), (".mp4", Codec.AV1, "aac"),
        (".webm", Codec.AV1, "opus"), (".webm", Codec.VP9, "opus"), (".mp4", Codec.VP9, "aac"),
    ],
)  # fmt: skip
async def test_every_codec_in_every_container_that_holds_it(
    suffix: str, codec: Codec, audio: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / f"a{suffix}"
    outcome = await run_job(spec(clips("vfr.mp4"), target, rendition(codec=codec)), toolbox)
    (output,) = assert_published(outcome, target)
    assert output["video"] == f"{codec} 320x180"
    assert output["audio"] == f"{audio} 1ch"
    assert output["duration_seconds"] == pytest.approx(2.04, abs=0.05)
    assert_same_frames(clips("vfr.mp4"), target)


async def test_a_ladder_becomes_a_folder_of_files_all_or_nothing(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "new" / "ladder"
    ladder = (rendition("180p", height=180), rendition("90p", height=90, codec=Codec.HEVC))
    outcome = await run_job(spec(clips("plain.mp4"), target, *ladder), toolbox)
    outputs = assert_published(outcome, target / "180p.mp4", target / "90p.mp4")
    assert [output["video"] for output in outputs] == ["h264 320x180", "hevc 160x90"]
    assert sorted(path.name for path in target.iterdir()) == ["180p.mp4", "90p.mp4"]
    assert list(target.parent.iterdir()) == [target]


async def test_hevc_in_mp4_is_tagged_as_apple_wants_it(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    await run_job(spec(clips("silent.mp4"), target, rendition(codec=Codec.HEVC)), toolbox)
    with av.open(str(target)) as container:
        assert container.streams.video[0].codec_context.codec_tag == "hvc1"


async def test_an_mp4_can_be_played_before_it_is_all_there(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    await run_job(spec(clips("plain.mp4"), target), toolbox)
    content = target.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


async def test_a_rotated_picture_comes_out_upright(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    await run_job(spec(clips("rotated.mp4"), target), toolbox)
    with av.open(str(target)) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height, frame.rotation) == (180, 320, 0)


async def test_ten_bits_stay_ten_bits(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    target = out / "a.mkv"
    await run_job(spec(clips("tenbit.mkv"), target, rendition(codec=Codec.HEVC)), toolbox)
    with av.open(str(target)) as container:
        assert next(container.decode(video=0)).format.name == "yuv420p10le"


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mp4", Codec.HEVC), (".mp4", Codec.AV1), (".mp4", Codec.VP9), (".mkv", Codec.HEVC),
        (".mkv", Codec.AV1), (".webm", Codec.VP9), (".webm", Codec.AV1),
    ],
)  # fmt: skip
async def test_hdr_stays_hdr(
    suffix: str, codec: Codec, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / f"a{suffix}"
    job = spec(clips("hdr.mkv"), target, rendition(codec=codec))
    assert_published(await run_job(job, toolbox), target)
    with av.open(str(target)) as container:
        frame = next(container.decode(video=0))
        coded = container.streams.video[0].codec_context
        for what in (frame, coded):
            stated = (what.color_primaries, what.color_trc, what.colorspace, what.color_range)
            assert stated == (9, 16, 9, 1)  # ITU-T H.273: BT.2020, PQ, BT.2020, limited
        assert frame.format.name == "yuv420p10le"


async def test_hdr_is_not_made_into_h264(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    outcome = await run_job(spec(clips("hdr.mkv"), out / "a.mp4"), toolbox)
    kind, reason = failure_of(outcome.ended["plan"])
    assert kind is FailureKind.UNSUPPORTED
    assert "HDR" in reason
    assert "hevc" in reason


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
async def test_sound_that_starts_late_still_does(
    suffix: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / f"a{suffix}"
    codec = Codec.VP9 if suffix == ".webm" else Codec.H264
    job = spec(clips("late-sound.mp4"), target, rendition(codec=codec))
    assert_published(await run_job(job, toolbox), target)
    assert onset(target) == pytest.approx(onset(clips("late-sound.mp4")), abs=0.01)


async def test_the_first_of_two_languages_is_kept_with_its_name(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mkv"
    outcome = await run_job(spec(clips("two-sounds.mkv"), target), toolbox)
    with av.open(str(target)) as container:
        assert [stream.language for stream in container.streams.audio] == ["eng"]
    assert any("2 sound streams" in warning for warning in outcome.warnings)


@pytest.mark.parametrize(
    ("name", "fps", "frames"),
    [
        ("plain.mp4", 10, 20), ("plain.mp4", 23.976, 48), ("plain.mp4", 240, 480),
        ("plain.mp4", 0.1, 1), ("one-frame.mp4", 10, 1), ("vfr.mp4", 10, 21),
    ],
)  # fmt: skip
async def test_a_rendition_of_another_rate_has_its_own_frames(
    name: str, fps: float, frames: int, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    job = spec(clips(name), target, rendition(fps=fps))
    assert_published(await run_job(job, toolbox), target)
    assert len(times(target)) == frames


async def test_a_ladder_without_sound_makes_none(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    target = out / "a.mp4"
    outcome = await run_job(spec(clips("plain.mp4"), target, audio=None), toolbox)
    (output,) = assert_published(outcome, target)
    assert output["audio"] is None


async def test_stereo_is_made_where_it_is_asked_for(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    target = out / "a.mp4"
    job = spec(clips("plain.mp4"), target, audio=Audio(channels=2))
    (output,) = assert_published(await run_job(job, toolbox), target)
    assert output["audio"] == "aac 2ch"


# ------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize("name", ["sound.m4a", "cover.m4a", "still.png"])
async def test_a_file_without_video_fails_its_plan(
    name: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    outcome = await run_job(spec(clips(name), out / "a.mp4"), toolbox)
    kind, reason = failure_of(outcome.ended["plan"])
    assert kind is FailureKind.BAD_INPUT
    assert reason.startswith(name)


async def test_the_worker_checks_the_roots_again(
    toolbox: Toolbox, clips: Clips, tmp_path: Path
) -> None:
    outcome = await run_job(spec(clips("plain.mp4"), tmp_path / "elsewhere.mp4"), toolbox)
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.UNSUPPORTED
    assert "outside" in reason


async def test_an_input_that_is_gone_fails_at_once(toolbox: Toolbox, out: Path) -> None:
    outcome = await run_job(spec(Path("/nowhere/a.mp4"), out / "a.mp4"), toolbox)
    assert failure_of(outcome.last)[0] is FailureKind.BAD_INPUT


async def test_an_output_that_is_there_is_left_alone(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    (out / "a.mp4").write_text("theirs")
    outcome = await run_job(spec(clips("plain.mp4"), out / "a.mp4"), toolbox)
    assert list(outcome.ended) == ["plan"]
    assert failure_of(outcome.last)[0] is FailureKind.OUTPUT_EXISTS
    assert (out / "a.mp4").read_text() == "theirs"
