"""The table of encoders, held against the ffmpeg that is installed."""

import re
import subprocess
from fractions import Fraction
from functools import cache

import pytest

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.audio_encoders import AUDIO_ENCODERS
from ffrtmp_ray.media.encoders import ENCODERS, Encoder, Picture, encoder_for
from ffrtmp_ray.media.spec import AudioCodec, Codec, Effort, Rendition

SMALL = Picture(width=320, height=180, bit_depth=8, frame_rate=Fraction(25))
DEEP = Picture(width=320, height=180, bit_depth=10, frame_rate=Fraction(25))

OF_ALL_ENCODERS = {"-c:v", "-pix_fmt", "-maxrate", "-bufsize", "-g", "-b:v", "-threads", "-tag:v"}
"""ffmpeg's own options, that no encoder lists."""


def by_name(encoder: Encoder) -> str:
    return encoder.name


SOFTWARE = [encoder for encoder in ENCODERS if not encoder.gpu]


def rendition(encoder: Encoder, **fields: object) -> Rendition:
    values = {"name": "r", "codec": encoder.codec, "crf": 30, "max_bitrate": 400_000}
    return Rendition.model_validate(values | fields)


@cache
def help_of(ffmpeg: str, name: str) -> str:
    return subprocess.run(
        [ffmpeg, "-hide_banner", "-h", f"encoder={name}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def made(ffmpeg: str, arguments: list[str], picture: str = "size=320x180:duration=0.4") -> bytes:
    """The stream that ffmpeg makes with `arguments`, without anything that varies by itself."""
    source = ["-f", "lavfi", "-i", f"testsrc2={picture}"]
    target = ["-fflags", "+bitexact", "-movflags", "+frag_keyframe+empty_moov", "-f", "mp4", "-"]
    return subprocess.run(
        [ffmpeg, "-nostdin", "-v", "error", *source, *arguments, *target],
        capture_output=True,
        check=True,
    ).stdout


# ------------------------------------------------------------------------------ what there is


@pytest.mark.parametrize("codec", Codec)
def test_every_codec_has_an_encoder_on_cpus(codec: Codec) -> None:
    assert encoder_for(codec, gpu=False).codec is codec


def test_gpus_make_all_but_vp9() -> None:
    names = [encoder_for(codec, gpu=True).name for codec in (Codec.H264, Codec.HEVC, Codec.AV1)]
    assert names == ["h264_nvenc", "hevc_nvenc", "av1_nvenc"]
    with pytest.raises(InvalidRequest, match="no GPU makes vp9"):
        encoder_for(Codec.VP9, gpu=True)


def test_no_encoder_is_in_the_table_twice() -> None:
    assert len({(each.codec, each.gpu) for each in ENCODERS}) == len(ENCODERS)
    assert len({each.name for each in ENCODERS}) == len(ENCODERS)


# ------------------------------------------------------------------------------ what ffmpeg knows


@pytest.mark.parametrize("encoder", ENCODERS, ids=by_name)
@pytest.mark.parametrize("effort", Effort)
def test_ffmpeg_knows_every_option(ffmpeg: str, encoder: Encoder, effort: Effort) -> None:
    arguments = encoder.arguments(rendition(encoder, effort=effort), DEEP, cpus=2, gpu=0)
    options = arguments[::2]
    assert all(option.startswith("-") for option in options)
    listed = set(re.findall(r"^  (-\S+) ", help_of(ffmpeg, encoder.name), re.MULTILINE))
    assert set(options) - OF_ALL_ENCODERS <= listed


@pytest.mark.parametrize("encoder", ENCODERS, ids=by_name)
def test_ffmpeg_lists_every_pixel_format(ffmpeg: str, encoder: Encoder) -> None:
    (line,) = re.findall(r"Supported pixel formats: (.*)", help_of(ffmpeg, encoder.name))
    assert set(encoder.pixel_formats.values()) <= set(line.split())


@pytest.mark.parametrize("encoder", [each for each in ENCODERS if each.gpu], ids=by_name)
def test_nvenc_has_every_preset(ffmpeg: str, encoder: Encoder) -> None:
    listed = set(re.findall(r"^     (\S+) ", help_of(ffmpeg, encoder.name), re.MULTILINE))
    assert {preset for _, preset in encoder.presets.values()} <= listed


@pytest.mark.parametrize("encoder", SOFTWARE, ids=by_name)
@pytest.mark.parametrize("effort", Effort)
def test_every_effort_encodes(ffmpeg: str, encoder: Encoder, effort: Effort) -> None:
    assert made(ffmpeg, encoder.arguments(rendition(encoder, effort=effort), SMALL, 2, None))


@pytest.mark.parametrize("encoder", SOFTWARE, ids=by_name)
@pytest.mark.parametrize("crf", ["lowest", "highest"])
def test_both_ends_of_the_scale_encode(ffmpeg: str, encoder: Encoder, crf: str) -> None:
    value = 0 if crf == "lowest" else encoder.max_crf
    asked = rendition(encoder, crf=value, max_bitrate=None, effort=Effort.FAST)
    assert made(ffmpeg, encoder.arguments(asked, SMALL, 1, None))


@pytest.mark.parametrize("name", [each.name for each in AUDIO_ENCODERS.values()])
def test_ffmpeg_has_the_encoders_of_sound(ffmpeg: str, name: str) -> None:
    assert f"Encoder {name} " in help_of(ffmpeg, name)


def test_there_is_one_for_every_codec_of_sound_with_a_layout_for_each_count() -> None:
    assert {codec: each.codec for codec, each in AUDIO_ENCODERS.items()} == {
        codec: codec for codec in AudioCodec
    }
    assert {codec: len(each.layouts) for codec, each in AUDIO_ENCODERS.items()} == {
        codec: 2 if codec is AudioCodec.MP3 else 8 for codec in AudioCodec
    }


# ------------------------------------------------------------------------------ what is decided


def test_a_crf_beyond_the_scale_is_refused_with_the_scale() -> None:
    encoder = encoder_for(Codec.H264, gpu=False)
    with pytest.raises(InvalidRequest, match="crf 52") as caught:
        encoder.check_crf(52, "ladder.renditions[0].crf")
    assert caught.value.remedy == "give 0 to 51"
    assert caught.value.where == "ladder.renditions[0].crf"
    encoder.check_crf(51, "ladder.renditions[0].crf")


@pytest.mark.parametrize("encoder", SOFTWARE, ids=by_name)
def test_the_smallest_picture_is_encoded(ffmpeg: str, encoder: Encoder) -> None:
    width, height = encoder.smallest
    smallest = Picture(width, height, 8, Fraction(25))
    arguments = encoder.arguments(rendition(encoder, effort=Effort.FAST), smallest, 1, None)
    assert made(ffmpeg, arguments, f"size={width}x{height}:duration=1")


def test_h264_is_8_bit_and_the_others_go_as_deep_as_the_source() -> None:
    assert {each.name: each.pixel_format(10) for each in SOFTWARE} == {
        "libx264": "yuv420p",
        "libx265": "yuv420p10le",
        "libsvtav1": "yuv420p10le",
        "libvpx-vp9": "yuv420p10le",
    }
    assert {each.pixel_format(8) for each in SOFTWARE} == {"yuv420p"}


@pytest.mark.parametrize(
    ("rate", "gop"),
    [("25", "250"), ("60", "250"), ("24000/1001", "239"), ("5", "50"), ("1/60", "1")],
)
def test_keyframes_are_ten_seconds_apart_at_most(rate: str, gop: str) -> None:
    encoder = encoder_for(Codec.H264, gpu=False)
    picture = Picture(320, 180, 8, Fraction(rate))
    arguments = encoder.arguments(rendition(encoder), picture, 1, None)
    assert arguments[arguments.index("-g") + 1] == gop


@pytest.mark.parametrize("encoder", ENCODERS, ids=by_name)
def test_a_bitrate_holds_over_two_seconds(encoder: Encoder) -> None:
    arguments = encoder.arguments(rendition(encoder, max_bitrate=1_000_000), SMALL, 1, None)
    assert arguments[arguments.index("-maxrate") + 1] == "1000000"
    assert arguments[arguments.index("-bufsize") + 1] == "2000000"
    unlimited = encoder.arguments(rendition(encoder, max_bitrate=None), SMALL, 1, None)
    assert not {"-maxrate", "-bufsize"} & set(unlimited)


@pytest.mark.parametrize("codec", [Codec.HEVC, Codec.AV1, Codec.VP9])
def test_the_number_of_cpus_does_not_change_the_stream(ffmpeg: str, codec: Codec) -> None:
    """Chunks made by workers of different sizes are joined into one stream."""
    encoder = encoder_for(codec, gpu=False)
    picture = Picture(width=854, height=480, bit_depth=8, frame_rate=Fraction(25))
    asked = rendition(encoder, effort=Effort.FAST, max_bitrate=None)
    streams = {
        made(ffmpeg, encoder.arguments(asked, picture, cpus, None), "size=854x480:duration=1")
        for cpus in (1, 2, 4)
    }
    assert len(streams) == 1


@pytest.mark.parametrize("encoder", SOFTWARE, ids=by_name)
def test_streams_have_the_tags_that_players_know(ffmpeg: str, encoder: Encoder) -> None:
    tags = {"libx264": b"avc1", "libx265": b"hvc1", "libsvtav1": b"av01", "libvpx-vp9": b"vp09"}
    asked = rendition(encoder, effort=Effort.FAST)
    assert tags[encoder.name] in made(ffmpeg, encoder.arguments(asked, SMALL, 1, None))
