"""Boxes, fragments, sample entries and transport packets, by bytes made up or made by ffmpeg."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from ffrtmp_ray.media.package.boxes import box, boxes, find, header
from ffrtmp_ray.media.package.cmaf import Fragment, Track, read_track, runs, sound_segment
from ffrtmp_ray.media.package.entry import SampleEntry, read_entry
from ffrtmp_ray.media.package.ts import PICTURE, SOUND, first_time
from tests.clips import Clips
from tests.media.encoding import run


def test_boxes_are_taken_apart_as_they_were_put_together() -> None:
    inner = box("tkhd", b"12", b"34")
    content = box("moov", box("free"), box("trak", inner)) + box("mdat", b"x")
    assert [kind for kind, _ in boxes(content)] == ["moov", "mdat"]
    assert find(content, "moov", "trak", "tkhd") == b"1234"
    assert find(content, "moov", "mdia") is None


def test_a_large_box_has_its_size_in_eight_bytes() -> None:
    assert header(struct.pack(">I4sQ", 1, b"mdat", 2**33)) == ("mdat", 2**33, 16)


@pytest.mark.parametrize(
    "damaged", [b"\0\0\0", struct.pack(">I4s", 4, b"moov"), box("moov", b"1234")[:-1]]
)
def test_what_is_cut_off_is_refused(damaged: bytes) -> None:
    with pytest.raises(ValueError, match="box"):
        list(boxes(damaged))


def _visual(kind: str, configuration: str, content: str) -> bytes:
    return _moov(box(kind, bytes(78), box(configuration, bytes.fromhex(content))))


def _moov(entry: bytes) -> bytes:
    stsd = box("stsd", struct.pack(">II", 0, 1), entry)
    return box("trak", box("mdia", box("minf", box("stbl", stsd))))


@pytest.mark.parametrize(
    ("kind", "configuration", "content", "codec"),
    [
        ("avc1", "avcC", "0164001fff", "avc1.64001F"),
        ("hvc1", "hvcC", "01016000000090000000000078", "hvc1.1.6.L120.90"),
        ("hvc1", "hvcC", "0122200000009000000000009C", "hvc1.2.4.H156.90"),
        ("av01", "av1C", "81084c00", "av01.0.08M.10"),
        ("av01", "av1C", "810d8c00", "av01.0.13H.08"),
        ("vp09", "vpcC", "01000000001f80020202", "vp09.00.31.08"),
        ("vp09", "vpcC", "010000000229a2090910", "vp09.02.41.10"),
    ],
)
def test_codecs_are_named_as_players_ask_for_them(
    kind: str, configuration: str, content: str, codec: str
) -> None:
    assert read_entry(_visual(kind, configuration, content)) == SampleEntry(codec)


def test_an_unknown_kind_of_track_is_refused() -> None:
    with pytest.raises(ValueError, match="mp4v"):
        read_entry(_visual("mp4v", "esds", "00"))


@pytest.mark.parametrize(
    ("encoder", "entry"),
    [
        (("aac", "-ac", "6"), SampleEntry("mp4a.40.2", 6, 48000)),
        (("libopus", "-ac", "2"), SampleEntry("opus", 2, 48000)),
    ],
)
def test_sounds_say_their_channels(
    encoder: tuple[str, ...], entry: SampleEntry, ffmpeg: str, tmp_path: Path
) -> None:
    source = ("-f", "lavfi", "-i", "sine=sample_rate=48000:duration=0.1")
    run(ffmpeg, "-v", "error", *source, "-c:a", *encoder, tmp_path / "a.mp4")
    assert read_track(tmp_path / "a.mp4").entry == entry


def test_a_fragment_of_our_own_is_read_as_it_was_written(tmp_path: Path, clips: Clips) -> None:
    init = read_track(clips("sound.m4a")).init
    path = tmp_path / "sound.mp4"
    for samples in ([(1024, 3), (1024, 5)], [(1024, 3), (512, 5)]):
        path.write_bytes(init + sound_segment(1, 7, 2**33, samples) + b"aaabbbbb")
        (fragment,) = read_track(path).fragments
        assert fragment.decoded == 2**33
        assert list(zip(fragment.durations, fragment.sizes, strict=True)) == samples
        assert path.read_bytes()[fragment.data :] == b"aaabbbbb"
        assert fragment.offset + fragment.size == path.stat().st_size


def _track(*starts: int) -> Track:
    fragments = tuple(
        Fragment(100 * n, 100, 100 * n + 50, start, start, (1,), (1,))
        for n, start in enumerate(starts, start=1)
    )
    return Track(b"", 10, 0, SampleEntry("avc1.64001F"), 0, fragments)


def test_a_segment_is_a_run_of_whole_fragments() -> None:
    assert runs(_track(0, 7, 40, 80), (0, 40, 80)) == ((100, 200), (300, 100), (400, 100))


def test_a_segment_that_no_fragment_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="no keyframe is at 4"):
        runs(_track(0, 41), (0, 40))


def test_the_time_of_a_transport_stream_is_its_first_pictures(ffmpeg: str, clips: Clips) -> None:
    content = clips("stream.ts").read_bytes()
    picture, sound = first_time(content, PICTURE), first_time(content, SOUND)
    assert picture is not None
    assert sound is not None
    assert abs(picture - sound) < 9000
    assert first_time(content[:188], PICTURE) is None
    assert first_time(b"no transport stream" * 20, PICTURE) is None
