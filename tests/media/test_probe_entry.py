"""At which keyframes decoding may begin, with nothing from before them, and that it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffrtmp_ray.media.probe.entry import entry_test
from ffrtmp_ray.media.probe.prober import Prober
from ffrtmp_ray.media.probe.source import Source, VideoStream
from ffrtmp_ray.media.toolbox import Toolbox
from tests.media.encoding import run
from tests.media.exact import frames_of, run_in_chunks
from tests.media.pipeline import assert_published, spec, tasks_of

PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=128x72:rate=25:duration=4")
X264 = ("-c:v", "libx264", "-preset", "veryfast", "-x264-params")
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params")
CLOSED = (*X264, "keyint=25:bframes=3:scenecut=0")
OPEN = (*X264, "keyint=25:bframes=3:scenecut=0:open-gop=1")
FRAGMENTS = ("-movflags", "frag_keyframe+empty_moov+default_base_moof+negative_cts_offsets")


def _clip(ffmpeg: str, path: Path, *how: str) -> Path:
    run(ffmpeg, "-v", "error", *PICTURE, "-pix_fmt", "yuv420p", *how, path)
    return path


async def _picture(prober: Prober, path: Path) -> VideoStream:
    source = await prober.probe(path)
    assert isinstance(source, Source)
    return source.video


@pytest.mark.parametrize(
    ("name", "how", "closed"),
    [
        ("idr.mp4", CLOSED, True),
        ("fragments.mp4", (*CLOSED, *FRAGMENTS), True),
        ("recovery-points.mp4", OPEN, False),
        ("refresh.mp4", (*X264, "keyint=25:intra-refresh=1"), False),
        ("cra.mp4", (*X265, "keyint=25:bframes=3:open-gop=1:log-level=none"), True),
        ("idr-hevc.mov", (*X265, "keyint=25:open-gop=0:log-level=none"), True),
        ("av1.mp4", ("-c:v", "libsvtav1", "-preset", "12", "-g", "25"), True),
        ("no-index-of-mp4.mkv", CLOSED, False),
        ("mpeg4.mp4", ("-c:v", "mpeg4", "-g", "25"), False),
    ],
)
async def test_decoding_begins_at_keyframes_that_need_nothing_from_before(
    name: str, how: tuple[str, ...], closed: bool, prober: Prober, tmp_path: Path, ffmpeg: str
) -> None:
    video = await _picture(prober, _clip(ffmpeg, tmp_path / name, *how))
    assert len(video.keyframes) >= 4
    assert video.closed is closed


@pytest.mark.parametrize("how", [CLOSED, (*CLOSED, *FRAGMENTS), OPEN], ids=["idr", "parts", "open"])
async def test_chunks_that_begin_at_keyframes_have_all_frames_of_the_source(
    how: tuple[str, ...], toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    clip = _clip(ffmpeg, tmp_path / "a.mp4", *how)
    outcome = await run_in_chunks(clip, out / "a.mp4", 4, toolbox)
    assert_published(outcome, out / "a.mp4")
    assert not outcome.replans
    (first, _), *_ = frames = frames_of(clip)
    assert frames_of(out / "a.mp4") == [(time - first, pixels) for time, pixels in frames]


@pytest.mark.parametrize(
    ("how", "seeks"),
    [(CLOSED, [None, "1", "2", "3"]), (OPEN, [None, None, "1", "2"])],
    ids=["idr", "recovery points"],
)
async def test_a_keyframe_more_is_decoded_where_the_one_needed_needs_others(
    how: tuple[str, ...],
    seeks: list[str | None],
    toolbox: Toolbox,
    out: Path,
    tmp_path: Path,
    ffmpeg: str,
) -> None:
    clip = _clip(ffmpeg, tmp_path / "a.mp4", *how)
    job = spec(clip, out / "a.mp4").model_copy(update={"chunks": 4})
    tasks = await tasks_of(job, toolbox)
    chunks = [tasks[f"encode{number}"].payload["video"]["chunk"] for number in range(4)]
    assert [chunk["seek_seconds"] for chunk in chunks] == seeks


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
def test_what_is_cut_off_or_makes_no_sense_is_no_such_keyframe(codec: str) -> None:
    test = entry_test(codec, bytes([1]) + b"\xff" * 30)
    assert test is not None
    for data in (b"", b"\x00", b"\x00" * 50, b"\xff" * 50, b"\x12\xff\xff\xff\xff\xff\xff\xff\xff"):
        assert not test(memoryview(data))


def test_of_other_codecs_and_headers_nothing_is_known() -> None:
    assert entry_test("mpeg4", b"\x01" * 30) is None
    assert entry_test("h264", b"\x00\x00\x00\x01\x67") is None
    assert entry_test("hevc", b"") is None
