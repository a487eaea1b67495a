"""The segments of a package: they begin when planned, in all renditions, whatever the chunks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import m3u8
import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.package import write
from ffrtmp_ray.media.package.cmaf import Track, read_track
from ffrtmp_ray.media.spec import Codec
from ffrtmp_ray.media.spec.packaging import HlsSegments, Packaging
from ffrtmp_ray.media.steps import cmaf_streams, segments
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.media.encoding import run
from tests.media.exact import frames_of
from tests.media.frames import times
from tests.media.pipeline import encodes_of, failure_of, listed, rendition, run_job, spec
from tests.media.playing import first_packet, published

ONE_SECOND = Packaging(dash=True, segment_seconds=1)
DASH = {"": "urn:mpeg:dash:schema:mpd:2011"}


@dataclass(frozen=True)
class Stream:
    folder: Path
    names: list[str]
    lengths: list[float]

    @property
    def begins(self) -> list[float]:
        return [sum(self.lengths[:number]) for number in range(len(self.lengths))]


def _stream(folder: Path) -> Stream:
    playlist = m3u8.load(str(folder / "index.m3u8"))
    lengths = [float(each.duration or 0) for each in playlist.segments]
    return Stream(folder, [str(each.uri) for each in playlist.segments], lengths)


def _packets(stream: bytes) -> list[bytes]:
    """Of a transport stream."""
    return [stream[begin : begin + 188] for begin in range(0, len(stream), 188)]


def _parsed(manifest: Path) -> ET.Element:
    return ET.parse(manifest).getroot()  # noqa: S314  # the product has made it


def _timeline(manifest: Path, folder: str) -> list[Fraction]:
    """When the segments of a stream begin, by the MPD, and when the last one ends."""
    for template in _parsed(manifest).iterfind(".//SegmentTemplate", DASH):
        if template.attrib["initialization"] == f"{folder}/init.mp4":
            scale, found = int(template.attrib["timescale"]), []
            for each in template.iterfind("SegmentTimeline/S", DASH):
                begin, length = int(each.attrib["t"]), int(each.attrib["d"])
                count = int(each.get("r", "0")) + 1
                found += [Fraction(begin + length * number, scale) for number in range(count)]
            return [*found, found[-1] + Fraction(length, scale)]
    raise AssertionError(f"{folder} is not in {manifest}")


def _planned(clip: Path, every: int) -> list[Fraction]:
    """The first frames at or after each multiple of `every` seconds."""
    first, *later = times(clip)
    shown = [Fraction(0), *(time - first for time in later)]
    return sorted({min(t for t in shown if t >= k) for k in range(0, int(shown[-1]) + 1, every)})


@pytest.mark.parametrize("name", ["vfr-long.mkv", "negative.asf"])
async def test_each_segment_begins_at_its_planned_time_with_a_keyframe_in_all_renditions(
    name: str, toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    ladder = (rendition("a", height=90), rendition("b", height=44, codec=Codec.AV1))
    job = spec(clips(name), out / "p", *ladder, packaging=ONE_SECOND)
    published(await run_job(job.model_copy(update={"chunks": 2}), toolbox))
    planned = [pytest.approx(float(time), abs=1e-3) for time in _planned(clips(name), 1)]
    for each in ladder:
        stream = _stream(out / "p" / "video" / each.name)
        assert stream.begins == planned
        timeline = _timeline(out / "p" / "manifest.mpd", f"video/{each.name}")
        assert timeline[:-1] == planned
        for segment, begin in zip(stream.names, timeline, strict=False):
            assert first_packet(stream.folder, segment) == (begin, True)


async def test_sound_is_cut_at_its_first_sample_after_the_picture_is(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    clip = clips("vfr-long.mkv")
    published(await run_job(spec(clip, out / "p", packaging=ONE_SECOND), toolbox))
    sound = _stream(out / "p" / "audio" / "0")
    frame = 1024 / 48000
    for begin, planned in zip(sound.begins, _planned(clip, 1), strict=False):
        assert planned <= begin + 1e-5 < planned + frame
    assert min(sound.lengths) >= 0.5
    for segment, begin in zip(sound.names[1:], sound.begins[1:], strict=True):
        at, _ = first_packet(sound.folder, segment)
        assert float(at) == pytest.approx(begin, abs=1e-5)


async def test_a_job_in_chunks_makes_what_the_job_in_one_piece_does(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    clip = clips("vfr-long.mkv")
    for chunks in (1, 2):
        job = spec(clip, out / f"p{chunks}", rendition(crf=0, height=90), packaging=ONE_SECOND)
        outcome = await run_job(
            job.model_copy(update={"chunks": chunks}), toolbox, job=f"job{chunks}"
        )
        assert published(outcome)
        assert len([name for name in outcome.ended if name.startswith("encode")]) == chunks
    one, two = out / "p1", out / "p2"
    assert _stream(one / "video" / "a").lengths == _stream(two / "video" / "a").lengths
    assert _timeline(one / "manifest.mpd", "video/a") == _timeline(two / "manifest.mpd", "video/a")
    pictures = []
    for package in (one, two):
        whole = package.with_suffix(".mp4")
        stream = _stream(package / "video" / "a")
        parts = [stream.folder / name for name in ("init.mp4", *stream.names)]
        whole.write_bytes(b"".join(part.read_bytes() for part in parts))
        pictures.append(frames_of(whole))
    assert pictures[0] == pictures[1]


async def test_a_rendition_of_another_rate_is_cut_at_its_own_frames(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    ladder = (rendition("a", height=90), rendition("slow", height=44, fps=23.976))
    job = spec(clips("vfr-long.mkv"), out / "p", *ladder, packaging=ONE_SECOND)
    outcome = await run_job(job.model_copy(update={"chunks": 3}), toolbox)
    published(outcome)
    assert len(encodes_of(outcome)) == 3
    own, slow = (_stream(out / "p" / "video" / each.name) for each in ladder)
    assert len(own.begins) == len(slow.begins)
    for begin, later in zip(own.begins, slow.begins, strict=True):
        assert begin - 1e-5 <= later < begin + 1 / 23.976
    sets = _parsed(out / "p" / "manifest.mpd").findall(".//AdaptationSet", DASH)
    assert len(sets) == 3  # a player does not switch between pictures that are cut elsewhere


async def test_transport_streams_are_cut_where_their_own_clock_rounds_a_time_down(
    toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    """A camera's frames last 33,336 µs: the cuts fall between two ticks of 90 kHz."""
    clip = tmp_path / "camera.mp4"
    picture = "testsrc2=size=64x36:rate=1000000/33336:duration=3"
    fine = ("-fps_mode", "passthrough", "-enc_time_base", "1/1000000")
    scale = ("-video_track_timescale", "1000000")
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", picture, *fine, "-c:v", "libx264", *scale, clip)
    packaging = Packaging(hls=HlsSegments.TS, dash=False, segment_seconds=1)
    outcome = await run_job(spec(clip, out / "p", packaging=packaging), toolbox)
    published(outcome)
    begins = _stream(out / "p" / "video" / "a").begins
    assert begins == [pytest.approx(float(each), abs=1e-4) for each in _planned(clip, 1)]


async def test_the_counters_of_transport_streams_go_on_over_segments(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    """Where they begin anew, players take what follows for damaged."""
    packaging = Packaging(hls=HlsSegments.TS, dash=False, segment_seconds=1)
    published(await run_job(spec(clips("plain.mp4"), out / "p", packaging=packaging), toolbox))
    segments = sorted((out / "p/video/a").glob("*.ts"))
    assert len(segments) == 2
    counters: dict[int, int] = {}
    for packet in _packets(b"".join(path.read_bytes() for path in segments)):
        pid, has_payload = int.from_bytes(packet[1:3]) & 0x1FFF, packet[3] >> 4 & 1
        counter = packet[3] & 15
        if pid in counters:
            assert counter == (counters[pid] + has_payload) % 16
        counters[pid] = counter


async def test_dash_alone_has_no_playlists(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    packaging = Packaging(hls=HlsSegments.NONE, dash=True)
    outcome = await run_job(spec(clips("plain.mp4"), out / "p", packaging=packaging), toolbox)
    assert published(outcome) == ["manifest.mpd", "a", "0"]
    for folder in ("", "video/a", "audio/0"):
        assert not [path for path in listed(out / "p" / folder) if path.suffix == ".m3u8"]


async def test_a_picture_of_one_frame_is_a_package_too(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    published(await run_job(spec(clips("one-frame.mp4"), out / "p", packaging=ONE_SECOND), toolbox))
    assert len(_stream(out / "p" / "video" / "a").names) == 1


@pytest.mark.parametrize("hls", [HlsSegments.FMP4, HlsSegments.TS])
async def test_what_is_not_right_is_never_published(
    hls: HlsSegments, toolbox: Toolbox, clips: Clips, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = segments._complete

    def damaged(making: segments.Making, package: segments.Package) -> list[str]:
        segment = package.pictures[0].stream.segments[1]
        path = making.staged / package.pictures[0].stream.folder / segment.name
        path.write_bytes(path.read_bytes()[:-1])
        return complete(making, package)

    monkeypatch.setattr(segments, "_complete", damaged)
    packaging = Packaging(hls=hls, segment_seconds=1)
    outcome = await run_job(spec(clips("plain.mp4"), out / "p", packaging=packaging), toolbox)
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.INEXACT
    assert "00002" in reason
    assert listed(out) == []


async def test_a_keyframe_that_is_missing_has_the_job_made_in_one_piece(
    toolbox: Toolbox, clips: Clips, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = write.runs
    asked: list[tuple[int, ...]] = []

    def one_is_missing(track: write.Track, starts: tuple[int, ...]) -> object:
        asked.append(starts)
        return runs(track, (*starts, 7) if len(asked) == 1 else starts)

    monkeypatch.setattr(write, "runs", one_is_missing)
    job = spec(clips("vfr-long.mkv"), out / "p", packaging=ONE_SECOND)
    outcome = await run_job(job.model_copy(update={"chunks": 2}), toolbox)
    assert published(outcome)
    (reason,) = outcome.replans
    assert "no keyframe" in reason


async def test_a_sound_without_samples_fails_in_a_sentence(
    toolbox: Toolbox, clips: Clips, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(path: Path) -> Track:
        return replace(read_track(path), fragments=())

    monkeypatch.setattr(cmaf_streams, "read_track", silent)
    outcome = await run_job(spec(clips("plain.mp4"), out / "p", packaging=ONE_SECOND), toolbox)
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.INEXACT
    assert reason == "a sound cannot be cut into segments: it has nothing to be heard"


async def test_the_manifests_tell_what_players_ask_for(
    toolbox: Toolbox, out: Path, ffmpeg: str, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    source = ("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=30000/1001:duration=3")
    run(ffmpeg, "-v", "error", *source, "-c:v", "libx264", "-preset", "veryfast", clip)
    codecs = [rendition(codec.value, codec=codec, height=90) for codec in Codec]
    published(await run_job(spec(clip, out / "p", *codecs, packaging=ONE_SECOND), toolbox))
    master = m3u8.load(str(out / "p" / "master.m3u8"))
    assert master.is_independent_segments
    infos = [each.stream_info for each in master.playlists]
    starts = ("avc1.", "hvc1.1.6.L", "av01.0.00M.08", "vp09.00.")
    assert all(info.codecs.startswith(start) for info, start in zip(infos, starts, strict=True))
    for info, each in zip(infos, codecs, strict=True):
        assert info.resolution == (160, 90)
        assert info.frame_rate == 29.97
        assert info.video_range == "SDR"
        folder = out / "p" / "video" / each.name
        sizes = [path.stat().st_size for path in folder.glob("*.m4s")]
        assert info.bandwidth >= max(sizes) * 8 * 0.9
        assert info.average_bandwidth == pytest.approx(sum(sizes) * 8 / 3.003, rel=0.01)
        assert m3u8.load(str(folder / "index.m3u8")).target_duration == 1


async def test_hdr_is_told_to_players(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    hevc = rendition(codec=Codec.HEVC, height=90)
    job = spec(clips("hdr.mkv"), out / "p", hevc, packaging=ONE_SECOND)
    published(await run_job(job, toolbox))
    (variant,) = m3u8.load(str(out / "p" / "master.m3u8")).playlists
    assert variant.stream_info.video_range == "PQ"
    assert variant.stream_info.codecs.startswith("hvc1.2.4.L")
