"""What the manifests of made-up packages say, word for word."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import m3u8
import pytest

from ffrtmp_ray.media.package import dash, hls
from ffrtmp_ray.media.package.check import alignment_faults
from ffrtmp_ray.media.package.sound_cuts import sound_cuts
from ffrtmp_ray.media.package.streams import (
    Package,
    PictureStream,
    Segment,
    SoundStream,
    Stream,
    peak_frame_rate,
    segments,
)

PICTURE = PictureStream(
    name="720p",
    stream=Stream(
        folder="video/720p",
        codecs=("avc1.64001F",),
        timescale=30000,
        segments=segments((0, 120120, 240240), 270270, (500_000, 400_000, 20_000), "m4s"),
        header=800,
    ),
    width=1280,
    height=720,
    frame_rate=Fraction(30000, 1001),
    peak_frame_rate=Fraction(30000, 1001),
    video_range="SDR",
    buffer_seconds=None,
)
SOUND = SoundStream(
    name='Ton "A"',
    codec="mp4a.40.2",
    channels=2,
    rate=48000,
    language="deu",
    default=True,
    stream=Stream(
        folder="audio/0",
        codecs=("mp4a.40.2",),
        timescale=48000,
        segments=segments((0, 192512), 432432, (64_000, 80_000), "m4s"),
        header=700,
    ),
)
PACKAGE = Package((PICTURE,), (SOUND,))


def test_a_media_playlist_names_each_segment_with_its_length() -> None:
    assert hls.media_playlist(PICTURE.stream) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-TARGETDURATION:4\n"
        "#EXT-X-MEDIA-SEQUENCE:1\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        '#EXT-X-MAP:URI="init.mp4"\n'
        "#EXTINF:4.004000,\n"
        "00001.m4s\n"
        "#EXTINF:4.004000,\n"
        "00002.m4s\n"
        "#EXTINF:1.001000,\n"
        "00003.m4s\n"
        "#EXT-X-ENDLIST\n"
    )


def test_the_lengths_of_many_segments_add_up() -> None:
    third = segments(range(0, 3001, 10), 3010, [1] * 301, "m4s")
    playlist = m3u8.loads(hls.media_playlist(replace(PICTURE.stream, timescale=3, segments=third)))
    assert sum(each.duration or 0 for each in playlist.segments) == pytest.approx(
        3010 / 3, abs=1e-6
    )


def test_the_master_playlist_names_renditions_with_their_rates_and_sounds_beside_them() -> None:
    # of the picture, the run that costs most: 500 kB in 4.004 s; of the sound, 80 kB in 4.998 s
    assert hls.master_playlist(PACKAGE) == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:7\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="Ton A",LANGUAGE="de",DEFAULT=YES,'
        'AUTOSELECT=YES,CHANNELS="2",URI="audio/0/index.m3u8"\n'
        "#EXT-X-STREAM-INF:BANDWIDTH=1127044,AVERAGE-BANDWIDTH=944833,"
        'CODECS="avc1.64001F,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,VIDEO-RANGE=SDR,'
        'AUDIO="sound"\n'
        "video/720p/index.m3u8\n"
    )


def test_a_sound_within_transport_streams_needs_no_entry_of_its_own() -> None:
    inside = replace(SOUND, stream=None)
    stream = replace(PICTURE.stream, header=0, codecs=("avc1.64001F", "mp4a.40.2"))
    text = hls.master_playlist(Package((replace(PICTURE, stream=stream),), (inside,)))
    assert "#EXT-X-VERSION:3\n" in text
    assert 'CODECS="avc1.64001F,mp4a.40.2"' in text
    assert "AUDIO" not in text
    assert "#EXT-X-MAP" not in hls.media_playlist(stream)


def test_beside_others_the_one_within_is_listed_without_a_place() -> None:
    inside, other = replace(SOUND, stream=None), replace(SOUND, name="B", default=False)
    text = hls.master_playlist(Package((PICTURE,), (inside, other)))
    assert 'NAME="Ton A",LANGUAGE="de",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2"\n' in text
    assert 'NAME="B",LANGUAGE="de",DEFAULT=NO' in text


def test_a_short_last_segment_is_no_peak_and_a_target_rounds_up_at_the_half() -> None:
    stream = Stream("v", ("x",), 10, segments((0, 40, 85), 86, (1000, 1000, 900), "m4s"))
    assert stream.target == 5
    assert stream.peak_rate == round(8 * 1900 / 4.6)
    assert stream.average_rate == round(8 * 2900 / 8.6)


def test_the_manifest_has_the_times_of_the_segments() -> None:
    text = dash.manifest(PACKAGE)
    assert 'mediaPresentationDuration="PT9.009000S"' in text
    assert '<S t="0" d="120120" r="1" />' in text
    assert '<S t="240240" d="30030" />' in text
    assert 'frameRate="30000/1001"' in text
    assert '<AdaptationSet contentType="audio"' in text
    assert 'lang="de"' in text
    assert '<Label>Ton "A"</Label>' in text


def test_renditions_are_one_set_where_a_player_may_switch_between_them() -> None:
    other = replace(PICTURE, name="b", stream=replace(PICTURE.stream, folder="video/b"))
    elsewhere = replace(
        other, stream=replace(other.stream, segments=(Segment("00001.m4s", 0, 270270, 9),))
    )
    for package, sets in (
        (Package((PICTURE, other), ()), 1),
        (Package((PICTURE, elsewhere), ()), 2),
    ):
        assert dash.manifest(package).count("<AdaptationSet ") == sets


def test_renditions_of_one_rate_that_do_not_begin_together_are_found() -> None:
    moved = replace(
        PICTURE,
        name="moved",
        stream=replace(
            PICTURE.stream, segments=segments((0, 121121, 240240), 270270, (1, 1, 1), "m4s")
        ),
    )
    (fault,) = alignment_faults(Package((PICTURE, moved), ()))
    assert "moved" in fault
    assert not list(alignment_faults(Package((PICTURE, PICTURE), ())))


# ------------------------------------------------------------------------------ where sound is cut


def _cut(samples: int, *planned: int) -> list[int]:
    begins = [10 * number - 10 for number in range(samples)]
    times = [Fraction(each) for each in planned]
    return list(sound_cuts(begins, 10 * samples - 10, times, Fraction(40)))


def test_sound_is_cut_at_its_first_sample_from_the_pictures_cut_on() -> None:
    assert _cut(13, 0, 40, 80) == [0, 5, 9]
    assert _cut(13, 0, 41, 79) == [0, 6, 9]


def test_a_last_segment_of_less_than_half_is_left_to_the_one_before() -> None:
    assert _cut(10, 0, 40, 80) == [0, 5]
    assert _cut(11, 0, 40, 80) == [0, 5, 9]


def test_a_sound_that_outlasts_the_picture_goes_on_in_segments() -> None:
    assert _cut(25, 0, 40) == [0, 5, 9, 13, 17, 21]


def test_a_sound_that_ends_early_has_no_empty_segments() -> None:
    assert _cut(6, 0, 40, 80, 120) == [0]


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("eng", "en"),
        ("fre", "fr"),
        ("ger", "de"),
        ("gsw", "gsw"),
        ("pt-br", "pt-BR"),
        ("e_!", None),
    ],
)
def test_languages_are_named_as_short_as_can_be(code: str, tag: str | None) -> None:
    """And what is no language's code is not named."""
    sound = replace(SOUND, language=code)
    two = replace(PACKAGE, sounds=(sound, replace(sound, name="B", default=False)))
    assert ("LANGUAGE=" in hls.master_playlist(two)) is (tag is not None)
    assert tag is None or f'LANGUAGE="{tag}"' in hls.master_playlist(two)
    assert tag is None or f'lang="{tag}"' in dash.manifest(two)


def test_the_frame_rate_is_that_of_the_fastest_part() -> None:
    slow = [tick * 400 for tick in range(50)]  # 25 a second, then 50
    ticks = [*slow, *(slow[-1] + tick * 200 for tick in range(1, 101))]
    average = Fraction(149 * 10_000, ticks[-1])
    assert peak_frame_rate(ticks, 10_000, average) == 50
    varying = replace(PICTURE, peak_frame_rate=Fraction(50))
    assert "FRAME-RATE=50.000" in hls.master_playlist(replace(PACKAGE, pictures=(varying,)))


def test_times_that_are_rounded_make_no_frame_rate_of_their_own() -> None:
    rate = Fraction(30000, 1001)
    milliseconds = [round(number / rate * 1000) for number in range(100)]
    assert peak_frame_rate(milliseconds, 1000, rate) == rate
    assert peak_frame_rate([0, 33], 1000, rate) == rate
