"""Joining and muxing command lines, and what verification finds wrong."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from ffrtmp_ray.media.encode.work import Color
from ffrtmp_ray.media.package.mux import (
    MuxWork,
    Part,
    Sound,
    cmaf_argv,
    concat_listing,
    mux_argv,
    ts_argv,
)
from ffrtmp_ray.media.package.verify import Promise, faults
from ffrtmp_ray.media.probe.source import AudioStream, Decoded, Source
from ffrtmp_ray.media.spec import Container
from tests.clips import Clips
from tests.media.planning import video_stream

HEAD = ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "level+warning", "-nostats",
        "-progress", "pipe:1"]  # fmt: skip


def test_a_listing_says_where_each_part_begins() -> None:
    parts = [
        Part(Path("/w/it's/0.mp4"), Fraction(10, 3)),
        Part(Path("/w/1.mp4"), Fraction(4)),
    ]
    assert concat_listing(parts) == (
        "ffconcat version 1.0\n"
        "file '/w/it'\\''s/0.mp4'\n"
        "duration 3.333333\n"
        "file '/w/1.mp4'\n"
        "duration 4.000000\n"
    )


def test_the_command_line_of_an_mp4_with_sound() -> None:
    sounds = (Sound(Path("/w/audio.mp4"), "eng"),)
    work = MuxWork(Path("/w/list"), sounds, Container.MP4, 12800, Path("/o/.a.part"))
    assert mux_argv("ffmpeg", work) == [
        *HEAD,
        *("-protocol_whitelist", "file", "-f", "concat", "-safe", "0", "-i", "/w/list"),
        *("-protocol_whitelist", "file", "-f", "mov", "-i", "/w/audio.mp4"),
        *("-map", "0:v:0", "-map", "1:a:0"),
        *("-c", "copy", "-map_metadata", "-1", "-map_chapters", "-1"),
        *("-metadata:s:a:0", "language=eng", "-disposition:a:0", "0"),
        *("-video_track_timescale", "12800", "-movflags", "+faststart"),
        *("-f", "mp4", "-n", "/o/.a.part"),
    ]  # fmt: skip


def test_the_command_line_of_a_cmaf_track() -> None:
    assert cmaf_argv("ffmpeg", Path("/w/list"), 12800, Path("/w/a.mp4")) == [
        *HEAD,
        *("-protocol_whitelist", "file", "-f", "concat", "-safe", "0", "-i", "/w/list"),
        *("-map", "0:v:0", "-c", "copy", "-map_metadata", "-1", "-map_chapters", "-1"),
        *("-video_track_timescale", "12800"),
        *("-movflags", "+cmaf+delay_moov+frag_keyframe", "-f", "mp4", "-n", "/w/a.mp4"),
    ]  # fmt: skip


def test_the_command_line_of_transport_streams_with_sound() -> None:
    sounds = (Sound(Path("/w/audio.mp4"), "eng"),)
    assert ts_argv("ffmpeg", Path("/w/a.mp4"), sounds, [0, 4_004_000, 8_008_000], Path("/o")) == [
        *HEAD,
        *("-protocol_whitelist", "file", "-f", "mov", "-i", "/w/a.mp4"),
        *("-protocol_whitelist", "file", "-f", "mov", "-i", "/w/audio.mp4"),
        *("-map", "0", "-map", "1"),
        *("-c", "copy", "-map_metadata", "-1", "-map_chapters", "-1"),
        *("-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", "10"),
        *("-f", "segment", "-segment_format", "mpegts", "-individual_header_trailer", "0"),
        *("-segment_start_number", "1"),
        *("-segment_times", "4.004000,8.008000", "-n", "/o/%05d.ts"),
    ]  # fmt: skip


def test_a_single_transport_stream_is_not_cut() -> None:
    argv = ts_argv("ffmpeg", Path("/w/a.mp4"), (), [0], Path("/o"))
    assert "-segment_times" not in argv
    assert argv[argv.index("-segment_time") + 1] == "1000000"


def test_the_command_line_of_a_silent_webm() -> None:
    work = MuxWork(Path("/w/list"), (), Container.WEBM, 16000, Path("/o/.a.part"))
    assert mux_argv("ffmpeg", work) == [
        *HEAD,
        *("-protocol_whitelist", "file", "-f", "concat", "-safe", "0", "-i", "/w/list"),
        *("-map", "0:v:0"),
        *("-c", "copy", "-map_metadata", "-1", "-map_chapters", "-1"),
        *("-f", "webm", "-n", "/o/.a.part"),
    ]  # fmt: skip


def _times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        ticks = [frame.pts for frame in container.decode(stream) if frame.pts is not None]
        return [tick * stream.time_base for tick in ticks]


@pytest.mark.parametrize("container", [Container.MP4, Container.MKV, Container.WEBM])
def test_joined_parts_have_the_times_of_the_whole(
    container: Container, ffmpeg: str, clips: Clips, tmp_path: Path
) -> None:
    """Two chunks as encodes leave them: fragmented MP4 from time zero, cut at a frame's time."""
    cut = Fraction(24, 25)
    codec = "libvpx-vp9" if container is Container.WEBM else "libx264"
    source = clips("vfr.mp4")
    for number, span in enumerate([f"end={float(cut)}", f"start={float(cut)}"]):
        argv = [ffmpeg, "-v", "error", "-copyts", "-i", source, "-an", "-c:v", codec]
        argv += ["-vf", f"trim={span},setpts=PTS-STARTPTS", "-fps_mode", "passthrough"]
        argv += ["-enc_time_base", "1/12800", "-video_track_timescale", "12800"]
        argv += ["-movflags", "+frag_keyframe+empty_moov+delay_moov", "-deadline", "realtime"]
        subprocess.run([*argv, tmp_path / f"{number}.mp4"], check=True)
    listing = tmp_path / "list"
    rest = Fraction(51, 25) - cut
    parts = [Part(tmp_path / "0.mp4", cut), Part(tmp_path / "1.mp4", rest)]
    listing.write_text(concat_listing(parts))
    joined = tmp_path / f"joined.{container}"
    subprocess.run(
        mux_argv(ffmpeg, MuxWork(listing, (), container, 12800, joined)),
        check=True,
        capture_output=True,
    )
    made, meant = _times(joined), _times(clips("vfr.mp4"))
    assert len(made) == len(meant)
    near = 0 if container is Container.MP4 else Fraction(1, 1000)
    assert all(abs(one - other) <= near for one, other in zip(made, meant, strict=True))


# ------------------------------------------------------------------------------ verification

PROMISE = Promise(
    container=Container.MP4,
    codec="h264",
    width=1280,
    height=720,
    frames=50,
    span=Fraction(49, 25),
    timescale=12800,
    sounds=("aac",),
    color=Color(),
    light=None,
)
GOOD = Decoded(frames=48, damaged=0)


def _found(*, audio: str | None = "aac", **fields: Any) -> Source:
    known: dict[str, Any] = {
        "time_base": Fraction(1, 12800),
        "frames": 50,
        "first": Fraction(0),
        "last": Fraction(49, 25),
        "end": Fraction(2),
    }
    sounds = ()
    if audio is not None:
        sounds = (
            AudioStream(index=1, codec=audio, channels=2, sample_rate=48000, start=Fraction(0)),
        )
    return Source(
        container="mov", bytes=1, duration=Fraction(2), video=video_stream(**(known | fields)),
        audio=sounds,
    )  # fmt: skip


def test_what_is_as_promised_has_no_faults() -> None:
    assert faults(PROMISE, _found(), GOOD) == []


@pytest.mark.parametrize(
    ("found", "fault"),
    [
        (_found(codec="hevc"), "the codec is hevc, not h264"),
        (_found(width=640), "the size is 640x720, not 1280x720"),
        (_found(frames=49), "the number of frames is 49, not 50"),
        (_found(audio=None), "the sound is none, not aac"),
        (_found(audio="opus"), "the sound is opus, not aac"),
        (_found(first=Fraction(1, 100)), "the first frame is at 0.010000 s, not at zero"),
        (_found(last=Fraction(48, 25)), "1.920000 s apart, not 1.960000 s"),
    ],
)
def test_every_broken_promise_is_a_fault(found: Source, fault: str) -> None:
    assert any(fault in each for each in faults(PROMISE, found, GOOD))


@pytest.mark.parametrize("decoded", [Decoded(frames=47, damaged=1), Decoded(frames=0, damaged=0)])
def test_samples_that_do_not_decode_are_a_fault(decoded: Decoded) -> None:
    assert "damaged" in faults(PROMISE, _found(), decoded)[0]


def test_milliseconds_are_close_enough_in_matroska_only() -> None:
    late = _found(last=Fraction(49, 25) + Fraction(1, 1000))
    assert faults(PROMISE, late, GOOD)
    assert not faults(replace(PROMISE, container=Container.MKV), late, GOOD)
