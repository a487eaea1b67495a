"""Every rendition has the source's frames at the source's times, whole or in chunks."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from pathlib import Path

import av
import pytest

from ffrtmp_ray.media.encode.work import ChunkWork
from ffrtmp_ray.media.spec import Codec
from ffrtmp_ray.media.timing import timescale
from tests.clips import Clips
from tests.media.encoding import EVERY_CODEC, Encode, first_frame, look, rendition, run

HALF = Fraction(1, 2)

WITHOUT_PICTURE = {"sample_eac3.mp4", "sample_opus.mp4", "invalid-bitstream.webm"}
"""Of the real clips: those that have no video, or a damaged one, by their own README."""

AWKWARD = (
    *("plain.mp4", "vfr.mp4", "late-picture.mkv", "late-sound.mp4", "stream.ts", "edited.mp4"),
    *("odd.mkv", "tenbit.mkv", "anamorphic.mp4", "one-frame.mp4", "cover.mp4"),
)


@pytest.fixture
def encode(ffmpeg: str, tmp_path: Path) -> Encode:
    return Encode(ffmpeg, tmp_path)


def assert_same_times(source: Path, made: dict[str, Path]) -> None:
    """Frame for frame, each at its distance from the first, to the nearest tick."""
    seen = look(source)
    ticks = timescale(seen.time_base)
    wanted = [floor((time - seen.times[0]) * ticks + HALF) for time in seen.times]
    for name, path in made.items():
        times = look(path).times
        assert all((time * ticks).denominator == 1 for time in times), name
        assert [int(time * ticks) for time in times] == wanted, name


def frames(path: Path) -> list[bytes]:
    with av.open(path) as container:
        return [frame.to_ndarray().tobytes() for frame in container.decode(video=0)]


# ------------------------------------------------------------------------------ whole files


def test_every_rendition_of_a_real_clip_has_its_frames_at_their_times(
    real_clip: Path, encode: Encode
) -> None:
    if real_clip.name in WITHOUT_PICTURE:
        with pytest.raises((AssertionError, av.FFmpegError)):
            encode(real_clip, *EVERY_CODEC)
    else:
        assert_same_times(real_clip, encode(real_clip, *EVERY_CODEC))


@pytest.mark.parametrize("name", AWKWARD)
def test_every_rendition_has_its_frames_at_their_times(
    name: str, clips: Clips, encode: Encode
) -> None:
    assert_same_times(clips(name), encode(clips(name), *EVERY_CODEC))


def test_deinterlacing_keeps_every_frame_at_its_time(clips: Clips, encode: Encode) -> None:
    clip = clips("interlaced.ts")
    assert first_frame(clip).interlaced_frame
    made = encode(clip, *EVERY_CODEC, interlaced=True)
    assert_same_times(clip, made)
    assert not first_frame(made["h264"]).interlaced_frame


def test_a_reduced_rate_has_evenly_spaced_frames_beside_a_full_one(
    clips: Clips, encode: Encode
) -> None:
    slow = rendition(Codec.H264, name="slow", fps=10.0)
    made = encode(clips("plain.mp4"), slow, rendition(Codec.H264))
    assert look(made["slow"]).times == [Fraction(number, 10) for number in range(20)]
    assert len(look(made["h264"]).times) == 50


@pytest.mark.parametrize("codec", Codec)
def test_keyframes_are_ten_seconds_apart_at_most(
    codec: Codec, ffmpeg: str, tmp_path: Path, encode: Encode
) -> None:
    clip = tmp_path / "long.mkv"
    gray = "color=gray:size=64x64:rate=5:duration=31"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", gray, "-c:v", "ffv1", clip)
    (path,) = encode(clip, rendition(codec)).values()
    with av.open(path) as container:
        packets = [packet for packet in container.demux(video=0) if packet.pts is not None]
        keys = [packet.pts * packet.time_base for packet in packets if packet.is_keyframe]
    gaps = [after - before for before, after in zip(keys, [*keys[1:], Fraction(31)], strict=True)]
    assert max(gaps) <= 10


# ------------------------------------------------------------------------------ chunks


def two_chunks(
    clip: Path, encode: Encode, **fields: object
) -> tuple[Path, tuple[Path, Path], Fraction]:
    """The whole without loss, the same in two chunks, and the time of the cut in it."""
    seen = look(clip)
    lossless = rendition(Codec.H264, crf=0)
    cut = seen.pts[len(seen.pts) * 3 // 5]
    span = cut * seen.time_base - seen.times[0]
    offset = floor(span * timescale(seen.time_base) + HALF)
    given = {"time_base": seen.time_base, "first_pts": seen.pts[0]}
    before = ChunkWork(**given, end_pts=cut, offset=0)
    after = ChunkWork(**given, start_pts=cut, seek_seconds=seen.times[0], offset=offset)
    (whole,) = encode(clip, lossless, into="whole", **fields).values()
    (one,) = encode(clip, lossless, into="one", chunk=before, **fields).values()
    (two,) = encode(clip, lossless, into="two", chunk=after, **fields).values()
    return whole, (one, two), span


@pytest.mark.parametrize("name", ["plain.mp4", "vfr.mp4", "stream.ts", "late-picture.mkv"])
def test_two_chunks_have_the_frames_and_times_of_the_whole(
    name: str, clips: Clips, encode: Encode
) -> None:
    whole, (one, two), cut = two_chunks(clips(name), encode)
    assert frames(one) + frames(two) == frames(whole)
    tick = Fraction(1, timescale(look(clips(name)).time_base))
    joined = look(one).times + [time + cut for time in look(two).times]
    pairs = zip(joined, look(whole).times, strict=True)
    assert all(abs(a - b) <= tick / 2 for a, b in pairs)


def test_fields_at_a_cut_are_joined_as_in_the_whole(clips: Clips, encode: Encode) -> None:
    whole, (one, two), _ = two_chunks(clips("interlaced.ts"), encode, interlaced=True)
    assert frames(one) + frames(two) == frames(whole)
