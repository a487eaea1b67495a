"""What a rendition looks like, and what of the source it leaves behind."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.encode.video import video_argv
from ffrtmp_ray.media.encode.work import Color, OutputWork, VideoWork
from ffrtmp_ray.media.probe import color as probe_color
from ffrtmp_ray.media.process.failures import classify
from ffrtmp_ray.media.process.runner import Ending, Exit
from ffrtmp_ray.media.spec import Codec
from tests.clips import Clips
from tests.media.encoding import EVERY_CODEC, Encode, first_frame, rendition, run


@pytest.fixture
def encode(ffmpeg: str, tmp_path: Path) -> Encode:
    return Encode(ffmpeg, tmp_path)


# ------------------------------------------------------------------------------ shape


def test_a_rotated_picture_comes_out_upright(clips: Clips, encode: Encode) -> None:
    (path,) = encode(clips("rotated.mp4"), rendition(Codec.H264, crf=1), rotation=90).values()
    upright = first_frame(path)
    assert (upright.width, upright.height, upright.rotation) == (180, 320, 0)
    lying = first_frame(clips("plain.mp4")).to_ndarray(format="gray").astype(int)
    turned = np.rot90(lying, 1)  # counterclockwise, as a display matrix counts
    assert np.abs(upright.to_ndarray(format="gray") - turned).mean() < 4


def test_pixels_come_out_square(clips: Clips, encode: Encode) -> None:
    sar = Fraction(4, 3)
    (path,) = encode(clips("anamorphic.mp4"), rendition(Codec.H264), sar=sar).values()
    with av.open(path) as container:
        context = container.streams.video[0].codec_context
        assert (context.width, context.height) == (426, 180)
        assert context.sample_aspect_ratio in (None, 0, 1)


# ------------------------------------------------------------------------------ colours


def test_ten_bits_stay_ten_bits_where_the_codec_has_them(clips: Clips, encode: Encode) -> None:
    made = encode(clips("tenbit.mkv"), *EVERY_CODEC, bit_depth=10)
    assert {name: first_frame(path).format.name for name, path in made.items()} == {
        "h264": "yuv420p",
        "hevc": "yuv420p10le",
        "av1": "yuv420p10le",
        "vp9": "yuv420p10le",
    }


def test_colours_are_stated_in_every_rendition(clips: Clips, encode: Encode) -> None:
    color = Color(primaries="bt2020", transfer="smpte2084", matrix="bt2020nc", range="tv")
    made = encode(clips("tenbit.mkv"), *EVERY_CODEC, bit_depth=10, color=color)
    for name, path in made.items():
        with av.open(path) as container:
            context = container.streams.video[0].codec_context
            stated = (context.color_primaries, context.color_trc, context.colorspace)
            assert (*stated, context.color_range) == (9, 16, 9, 1), name  # ITU-T H.273


def test_full_range_stays_full_range(ffmpeg: str, tmp_path: Path, encode: Encode) -> None:
    clip = tmp_path / "full.mkv"
    white = "color=white:size=64x64:duration=0.2,scale=out_range=pc,format=yuvj420p"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", white, "-c:v", "mjpeg", clip)
    assert first_frame(clip).to_ndarray()[0, 0] > 250
    for name, path in encode(clip, *EVERY_CODEC, color=Color(range="pc")).items():
        with av.open(path) as container:
            assert container.streams.video[0].codec_context.color_range == 2, name
        assert first_frame(path).to_ndarray()[0, 0] > 250, name


WORDS = [
    (field, number, word)
    for field, words in (
        ("primaries", probe_color._PRIMARIES),
        ("transfer", probe_color._TRANSFERS),
        ("matrix", probe_color._MATRICES),
    )
    for number, word in words.items()
]


@pytest.mark.parametrize(("field", "number", "word"), WORDS)
def test_whatever_a_source_says_of_its_colours_is_stated(
    field: str, number: int, word: str, clips: Clips, encode: Encode
) -> None:
    made = encode(clips("one-frame.mp4"), *EVERY_CODEC, color=Color.model_validate({field: word}))
    for name, path in made.items():
        with av.open(path) as container:
            context = container.streams.video[0].codec_context
            stated = {
                "primaries": context.color_primaries,
                "transfer": context.color_trc,
                "matrix": context.colorspace,
            }
            assert stated[field] == number, name


def test_red_green_and_blue_become_what_players_take(
    ffmpeg: str, tmp_path: Path, encode: Encode
) -> None:
    clip = tmp_path / "rgb.mkv"
    green = "color=0x20C040:size=128x96:duration=0.2,format=gbrp"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", green, "-c:v", "ffv1", clip)
    for name, path in encode(clip, *EVERY_CODEC, rgb=True).items():
        frame = first_frame(path)
        assert (frame.format.name, frame.colorspace, frame.color_range) == ("yuv420p", 1, 1), name
        assert np.abs(frame.to_ndarray(format="rgb24")[40, 40] - (32.0, 192.0, 64.0)).max() < 8


# ------------------------------------------------------------------------------ what is left out


def test_nothing_of_the_source_but_its_picture_comes_along(
    ffmpeg: str, clips: Clips, tmp_path: Path, encode: Encode
) -> None:
    chapters = tmp_path / "chapters.txt"
    chapters.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle=secret\n")
    clip = tmp_path / "tagged.mp4"
    sources = ("-i", clips("plain.mp4"), "-i", chapters, "-map_metadata", "1", "-c", "copy")
    tags = ("-metadata", "title=secret", "-metadata:s:v", "handler_name=secret")
    run(ffmpeg, "-v", "error", *sources, *tags, "-metadata:s:v", "language=fra", clip)
    assert b"secret" in clip.read_bytes()
    (path,) = encode(clip, rendition(Codec.H264)).values()
    assert b"secret" not in path.read_bytes()
    with av.open(path) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        assert container.streams[0].language in (None, "und")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{clip}\n#EXT-X-ENDLIST\n"),
        ("list.mp4", "ffconcat version 1.0\nfile '{clip}'\n"),
    ],
)
def test_a_file_that_names_other_files_is_refused(
    name: str, text: str, ffmpeg: str, clips: Clips, tmp_path: Path
) -> None:
    listing, out = tmp_path / name, tmp_path / "out.mp4"
    listing.write_text(text.format(clip=clips("stream.ts")))
    work = VideoWork(
        stream=0,
        frame_rate=Fraction(25),
        timescale=90000,
        outputs=(OutputWork(rendition=rendition(Codec.H264), width=64, height=64),),
    )
    argv = video_argv(ffmpeg, str(listing), work, outputs={"h264": str(out)}, cpus=1, gpu=None)
    ended = subprocess.run(argv, capture_output=True, text=True, check=False)
    failure = classify(Exit(ended.returncode, Ending.EXITED, ended.stderr))
    assert failure.kind is FailureKind.BAD_INPUT
    assert not out.exists()
