"""What a look into a file finds, and what is said of files that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import pytest

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.encode.work import Color
from ffrtmp_ray.media.probe.open import packets_of
from ffrtmp_ray.media.probe.prober import Prober
from ffrtmp_ray.media.probe.source import Decoded, FrameCount, Source
from tests.clips import Clips
from tests.media.probing import source_of


async def _refusal(prober: Prober, path: Path) -> Failure:
    found = await prober.probe(path)
    assert isinstance(found, Failure), found
    return found


# ------------------------------------------------------------------------------ reading


class _Late:
    """A container in which a stream has begun that PyAV had not seen when it opened it."""

    def demux(self, stream: object) -> Iterator[str]:
        yield from ("first", "last", "")
        raise IndexError("list index out of range")


def test_a_stream_that_begins_late_costs_no_packet_of_another() -> None:
    assert list(packets_of(cast("Any", _Late()), cast("Any", None))) == ["first", "last", ""]


# ------------------------------------------------------------------------------ what is found


async def test_a_plain_clip_is_described(prober: Prober, clips: Clips) -> None:
    source = await source_of(prober, clips("plain.mp4"))
    video = source.video
    assert "mp4" in source.container
    assert source.bytes == clips("plain.mp4").stat().st_size
    assert source.duration == pytest.approx(2, abs=0.05)
    assert (video.codec, video.width, video.height, video.bit_depth) == ("h264", 320, 180, 8)
    assert (video.frames, video.countable) == (50, True)
    assert (video.first, video.last, video.end) == (0, Fraction(49, 25), 2)
    assert video.average_rate == 25
    assert video.keyframes == (0, 12800)
    assert video.ticks == tuple(range(0, 50 * 512, 512))
    (sound,) = source.audio
    assert (sound.codec, sound.channels, sound.sample_rate, sound.start) == ("aac", 1, 48000, 0)


async def test_a_source_survives_json(prober: Prober, clips: Clips) -> None:
    source = await source_of(prober, clips("stream.ts"))
    document = json.loads(json.dumps(source.model_dump(mode="json")))
    assert Source.model_validate(document) == source


async def test_a_transport_stream_keeps_its_own_clock(prober: Prober, clips: Clips) -> None:
    video = (await source_of(prober, clips("stream.ts"))).video
    assert video.first > 1
    assert video.last - video.first == Fraction(49, 25)


async def test_the_frames_of_a_part_are_counted(prober: Prober, clips: Clips) -> None:
    """As often as a decoder's threads need to get into each other's way, were it broken off."""
    ticks = (await source_of(prober, clips("plain.mp4"))).video.ticks
    for number in range(1, 20):
        span = (ticks[number], ticks[2 * number])
        counted = await prober.count(clips("plain.mp4"), span, timeout_seconds=30)
        assert isinstance(counted, FrameCount)
        assert counted.frames == number
        assert counted.first == ticks[number] * Fraction(1, 12800)


async def test_packets_outside_an_edit_list_are_not_counted(prober: Prober, clips: Clips) -> None:
    video = (await source_of(prober, clips("edited.mp4"))).video
    assert video.frames < 50
    counted = await prober.count(clips("edited.mp4"), timeout_seconds=30)
    assert isinstance(counted, FrameCount)
    assert (counted.frames, counted.first, counted.last) == (video.frames, video.first, video.last)


async def test_variable_frame_rate_has_its_own_times(prober: Prober, clips: Clips) -> None:
    video = (await source_of(prober, clips("vfr.mp4"))).video
    assert video.frames == 30
    assert video.last == Fraction(48, 25)


async def test_ten_bits_are_seen(prober: Prober, clips: Clips) -> None:
    video = (await source_of(prober, clips("tenbit.mkv"))).video
    assert (video.pixel_format, video.bit_depth) == ("yuv420p10le", 10)


async def test_a_rotated_picture_is_shown_upright(prober: Prober, clips: Clips) -> None:
    video = (await source_of(prober, clips("rotated.mp4"))).video
    assert (video.width, video.height, video.rotation) == (320, 180, 90)
    assert video.shown_height == 320


async def test_pixels_that_are_not_square_are_seen(prober: Prober, clips: Clips) -> None:
    video = (await source_of(prober, clips("anamorphic.mp4"))).video
    assert video.sample_aspect == Fraction(4, 3)


async def test_odd_sizes_are_told_as_they_are(prober: Prober, clips: Clips) -> None:
    video = (await source_of(prober, clips("odd.mkv"))).video
    assert (video.width, video.height) == (321, 181)


@pytest.mark.parametrize(
    ("name", "color"),
    [
        ("silent.mp4", Color()),
        ("pal.mp4", Color(primaries="bt470bg", transfer="bt470bg", matrix="bt470bg", range="tv")),
        ("hdr.mkv", Color(primaries="bt2020", transfer="smpte2084", matrix="bt2020nc", range="tv")),
        ("ictcp.mp4", Color(matrix="14", range="tv")),
        ("identity.mp4", Color(matrix="unknown", range="tv")),
    ],
)
async def test_what_a_file_says_of_its_colours_is_told(
    name: str, color: Color, prober: Prober, clips: Clips
) -> None:
    video = (await source_of(prober, clips(name))).video
    assert (video.color, video.rgb) == (color, False)


async def test_red_green_and_blue_are_seen(prober: Prober, clips: Clips) -> None:
    video = (await source_of(prober, clips("rgb.gif"))).video
    assert (video.color, video.rgb) == (Color(), True)


async def test_interlaced_pictures_are_seen(prober: Prober, clips: Clips) -> None:
    assert (await source_of(prober, clips("interlaced.ts"))).video.interlaced
    assert not (await source_of(prober, clips("plain.mp4"))).video.interlaced


async def test_a_cover_picture_is_not_the_video(prober: Prober, clips: Clips) -> None:
    source = await source_of(prober, clips("cover.mp4"))
    assert (source.video.codec, source.video.frames) == ("h264", 50)


@pytest.mark.parametrize(("clip", "offset"), [("late-sound.mp4", 0.5), ("late-picture.mkv", -0.5)])
async def test_an_offset_between_picture_and_sound_is_seen(
    clip: str, offset: float, prober: Prober, clips: Clips
) -> None:
    source = await source_of(prober, clips(clip))
    assert source.audio[0].start - source.video.first == pytest.approx(offset, abs=0.03)


async def test_every_sound_is_listed_with_its_language(prober: Prober, clips: Clips) -> None:
    source = await source_of(prober, clips("two-sounds.mkv"))
    assert [(sound.index, sound.language) for sound in source.audio] == [(1, "eng"), (2, "fra")]


async def test_metadata_that_is_not_utf8_does_no_harm(prober: Prober, clips: Clips) -> None:
    assert (await source_of(prober, clips("latin1.mkv"))).video.frames == 50


async def test_real_clips_are_described_or_refused_in_a_sentence(
    prober: Prober, real_clip: Path
) -> None:
    found = await prober.probe(real_clip)
    if isinstance(found, Failure):
        assert found.kind is FailureKind.BAD_INPUT
        assert real_clip.name in found.reason
        return
    counted = await prober.count(real_clip, timeout_seconds=60)
    assert isinstance(counted, FrameCount)
    video = found.video
    assert (video.frames, video.first, video.last) == (counted.frames, counted.first, counted.last)


# ------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("clip", "said"),
    [
        ("sound.m4a", "has no video stream, only sound"),
        ("cover.m4a", "has no video stream, only sound"),
        ("still.png", "is not a media file"),
    ],
)
async def test_a_file_without_moving_pictures_is_refused(
    clip: str, said: str, prober: Prober, clips: Clips
) -> None:
    refusal = await _refusal(prober, clips(clip))
    assert refusal.kind is FailureKind.BAD_INPUT
    assert f"{clip} {said}" in refusal.reason


async def test_a_text_file_is_refused(prober: Prober, tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("These are notes.\n" * 100)
    refusal = await _refusal(prober, text)
    assert refusal.kind is FailureKind.BAD_INPUT
    assert "notes.mp4 is not a media file" in refusal.reason


async def test_an_empty_file_is_refused(prober: Prober, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").touch()
    assert (await _refusal(prober, tmp_path / "empty.mp4")).kind is FailureKind.BAD_INPUT


async def test_a_picture_of_which_nothing_decodes_is_refused(
    prober: Prober, clips: Clips, tmp_path: Path
) -> None:
    whole = clips("silent.mp4").read_bytes()
    start = whole.index(b"mdat") + 4
    end = whole.index(b"moov") - 4
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(whole[:start] + bytes(end - start) + whole[end:])
    refusal = await _refusal(prober, broken)
    assert refusal.kind is FailureKind.BAD_INPUT
    assert "damaged" in refusal.reason


@pytest.mark.parametrize(
    "listing",
    [
        "#EXTM3U\n#EXTINF:2,\n{clip}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile '{clip}'\n",
        "v=0\nm=video 5004 RTP/AVP 96\n",
    ],
)
async def test_a_file_that_leads_to_other_files_is_refused(
    listing: str, prober: Prober, clips: Clips, tmp_path: Path
) -> None:
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(listing.format(clip=clips("stream.ts")))
    assert (await _refusal(prober, playlist)).kind is FailureKind.BAD_INPUT


# ------------------------------------------------------------------------------ decoding


async def test_samples_of_a_good_file_decode(prober: Prober, clips: Clips) -> None:
    decoded = await prober.sample(clips("plain.mp4"), (0.0, 0.5, 1.0))
    assert isinstance(decoded, Decoded)
    assert decoded.damaged == 0
    assert decoded.frames >= 48


async def test_places_that_begin_at_one_keyframe_are_decoded_once(
    prober: Prober, clips: Clips
) -> None:
    clip = clips("plain.mp4")
    at_start = await prober.sample(clip, (0.0,))
    assert await prober.sample(clip, (0.0, 0.0, 0.001)) == at_start
    assert isinstance(at_start, Decoded)
    elsewhere = await prober.sample(clip, (0.0, 1.0, 1.0))
    assert isinstance(elsewhere, Decoded)
    assert at_start.frames < elsewhere.frames < 3 * at_start.frames


async def test_damage_within_a_file_is_counted(
    prober: Prober, clips: Clips, tmp_path: Path
) -> None:
    whole = bytearray(clips("silent.mp4").read_bytes())
    middle = whole.index(b"mdat") + 20_000
    whole[middle : middle + 10_000] = bytes(10_000)
    (tmp_path / "scratched.mp4").write_bytes(whole)
    counted = await prober.count(tmp_path / "scratched.mp4", timeout_seconds=30)
    assert isinstance(counted, FrameCount)
    assert counted.damaged > 0
