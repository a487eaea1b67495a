"""The command line that compares: all of it, and what libvmaf makes of it."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import pytest

from ffrtmp_ray.media.encode.work import ChunkWork, OutputWork, VideoWork
from ffrtmp_ray.media.inputs import DECODER_OPTIONS, open_options
from ffrtmp_ray.media.quality.compare import (
    Comparison,
    comparison_argv,
    comparison_graph,
    scores_of,
)
from ffrtmp_ray.media.spec import Codec, Measure
from tests.clips import Clips
from tests.media.encoding import rendition

LOCAL = open_options("/in/a.mkv") | DECODER_OPTIONS
ALL = (Measure.VMAF, Measure.PSNR, Measure.SSIM)


def _video(width: int = 320, height: int = 180, **fields: object) -> VideoWork:
    output = OutputWork(rendition=rendition(Codec.HEVC), width=width, height=height)
    known = {"stream": 0, "frame_rate": Fraction(25), "timescale": 12800, "outputs": (output,)}
    return VideoWork.model_validate(known | fields)


def test_the_whole_command_line() -> None:
    chunk = ChunkWork(
        time_base=Fraction(1, 12800),
        seek_seconds=Fraction(2),
        first_pts=0,
        start_pts=50688,
        end_pts=77312,
        offset=51200,
    )
    work = Comparison(
        source="/in/a.mkv",
        video=_video(chunk=chunk, bit_depth=10),
        encoded="/w/a.mp4",
        measures=ALL,
        before=True,
        after=True,
    )
    assert comparison_argv("ffmpeg", work, "/w/log.csv", cpus=2) == [
        *("ffmpeg", "-nostdin", "-hide_banner", "-y", "-loglevel", "level+warning"),
        *("-progress", "pipe:1", "-nostats", "-copyts"),
        *(word for name, value in LOCAL.items() for word in (f"-{name}", value)),
        *("-threads", "2"),
        *("-seek_timestamp", "1", "-noaccurate_seek", "-ss", "2.000000"),
        *("-reinit_filter", "0", "-i", "/in/a.mkv"),
        *("-protocol_whitelist", "file", "-f", "mov", "-threads", "2", "-i", "/w/a.mp4"),
        *("-filter_complex_threads", "2", "-filter_complex"),
        "[0:0]settb=1/12800,trim=start_pts=50688:end_pts=77312,setpts=PTS-(0),settb=1/12800,"
        "setpts=PTS-51200,scale=320:180,setsar=1,format=yuv420p10le[out0];"
        "[out0]settb=1/25,setpts=N,split[source][counted];"
        "[1:v]tpad=start=1:stop=1:start_mode=clone:stop_mode=clone,"
        "scale=320:180:flags=bicubic,setsar=1,format=yuv420p10le,settb=1/25,setpts=N[encoded];"
        "[encoded][source]libvmaf=model=version=vmaf_v0.6.1:n_threads=2:eof_action=pass:"
        "feature=name=psnr|name=float_ssim:log_fmt=csv:log_path=/w/log.csv[scored]",
        *("-map", "[counted]", "-fps_mode", "passthrough", "-f", "null", "-"),
        *("-map", "[scored]", "-fps_mode", "passthrough", "-f", "null", "-"),
    ]


def _libvmaf(*measures: Measure, width: int = 320, height: int = 180) -> str:
    work = Comparison("a", _video(width, height), "b", measures)
    return comparison_graph(work, "log", threads=1).rpartition("]libvmaf=")[2]


def test_only_what_is_asked_for_is_measured() -> None:
    assert _libvmaf(Measure.VMAF).startswith(
        "model=version=vmaf_v0.6.1:n_threads=1:eof_action=pass:log_fmt"
    )
    assert _libvmaf(Measure.SSIM).startswith(
        "model=:n_threads=1:eof_action=pass:feature=name=float_ssim:log_fmt"
    )


def test_more_than_1440_lines_are_judged_by_the_model_for_them() -> None:
    assert "model=version=vmaf_v0.6.1:" in _libvmaf(Measure.VMAF, width=2560, height=1440)
    assert "model=version=vmaf_4k_v0.6.1:" in _libvmaf(Measure.VMAF, width=3840, height=2160)
    assert "model=version=vmaf_v0.6.1:" in _libvmaf(Measure.VMAF, width=1080, height=1920)


@pytest.mark.parametrize(
    ("source", "encoded", "counted", "scored"),
    [
        ("plain.mp4", "plain.mp4", 50, 50),
        ("plain.mp4", "one-frame.mp4", 50, 1),
        ("one-frame.mp4", "plain.mp4", 1, 1),
    ],
)
def test_unequal_numbers_of_frames_are_seen(
    ffmpeg: str, clips: Clips, tmp_path: Path, source: str, encoded: str, counted: int, scored: int
) -> None:
    """In a place whose name has all that is special in a filter graph."""
    folder = tmp_path / r"it's [a];b,c:d\e=f %s"
    folder.mkdir()
    work = Comparison(str(clips(source)), _video(), str(clips(encoded)), ALL)
    argv = comparison_argv(ffmpeg, work, str(folder / "log.csv"), cpus=1)
    ended = subprocess.run(argv, capture_output=True, text=True, check=True)
    frames = [line for line in ended.stdout.splitlines() if line.startswith("frame=")]
    assert frames[-1] == f"frame={counted}"
    with (folder / "log.csv").open() as lines:
        scores = scores_of(lines, ALL)
    assert {len(each) for each in scores.values()} == {scored}
    assert scores[Measure.VMAF][0] > 90


def test_a_log_without_the_measure_is_refused() -> None:
    with pytest.raises(ValueError, match="no vmaf"):
        scores_of(["Frame,psnr_y", "0,40.1"], (Measure.VMAF,))
    assert scores_of(["Frame,psnr_y", "0,40.1"], (Measure.PSNR,)) == {Measure.PSNR: [40.1]}
