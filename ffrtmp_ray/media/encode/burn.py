"""How subtitles become part of the picture: a filter of the graph. Pure.

Before the renditions part, at the source's size: so all of them have the same, it is drawn once
however many there are, and is scaled with the picture in the one cascade.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from html import escape

from ffrtmp_ray.media.encode.graph import escaped
from ffrtmp_ray.media.encode.opening import seconds
from ffrtmp_ray.media.encode.subtitles import LATER_MS
from ffrtmp_ray.media.encode.work import Burned, TextForm, VideoWork

FONT = "Noto Sans"
"""The family that all is written in; what it lacks comes from the other fonts that are there."""
_USUAL_SIZE = Fraction(16)
"""Of 288 lines: that of libavcodec's subtitles."""
_NARROWEST = Fraction(4, 3)
"""Shape of the narrowest picture on which text of that size has room."""
_PAPER_WHITE = {"smpte2084": "949494", "arib-std-b67": "BFBFBF"}
"""203 cd/m² (ITU-R BT.2408, table 1: 58 % in PQ, 75 % in HLG), in which white would dazzle."""
DEMUXERS = {".srt": "srt", ".vtt": "webvtt", ".ass": "ass", ".ssa": "ass"}
"""ffmpeg's names, by the suffixes of files of subtitles."""


def burning(work: VideoWork) -> list[str]:
    """Filters that draw the subtitles on frames whose times count from the picture's first one."""
    burned = work.burned
    if burned is None:
        return []
    pixels = "yuv420p10le" if work.bit_depth == 10 else "yuv420p"
    style = [f"FontName={FONT}", f"FontSize={float(_size(burned)):g}"]
    if (white := _PAPER_WHITE.get(work.color.transfer or "")) is not None:
        style.append(f"PrimaryColour=&H{white}")
    options = [
        f"f={escaped(burned.path)}",
        f"fontsdir={escaped(burned.fonts)}",
        f"original_size={_square(burned)}",
        f"force_style='{','.join(style)}'",
    ]
    rgb = ["scale=out_color_matrix=bt709:out_range=tv"] if work.rgb else []
    return [*rgb, f"format={pixels}", f"subtitles={':'.join(options)}"]


def file_argv(
    ffmpeg: str, path: str, demuxer: str, picture_start: Fraction, *, output: str
) -> list[str]:
    """The command line that makes SubRip of a file of subtitles, timed as by `text_argv`; its times
    count from `picture_start` seconds before the picture's first frame."""
    return [
        *(ffmpeg, "-nostdin", "-hide_banner", "-y", "-loglevel", "level+warning"),
        *("-progress", "pipe:1", "-nostats", "-copyts"),
        *("-protocol_whitelist", "file", "-f", demuxer),
        *("-itsoffset", seconds(LATER_MS // 1000 - picture_start)),
        *("-i", path, "-map", "0:s:0", "-map_metadata", "-1"),
        *("-c:s", TextForm.SUBRIP.value, "-f", TextForm.SUBRIP.value, output),
    ]


def fonts_config(folders: Sequence[str], cache: str) -> str:
    """A file for fontconfig by which there are no other fonts than those in `folders`: what a
    machine has happens to be installed, and chunks are made on many."""
    places = "".join(f"<dir>{escape(folder)}</dir>" for folder in folders)
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
        f"<fontconfig>{places}<cachedir>{escape(cache)}</cachedir></fontconfig>\n"
    )


def _size(burned: Burned) -> Fraction:
    """Smaller on pictures that are upright, whose lines would have few words."""
    shape = Fraction(burned.width, burned.height) * burned.aspect
    return _USUAL_SIZE * min(Fraction(1), shape / _NARROWEST)


def _square(burned: Burned) -> str:
    """The picture's size in square pixels, by which libass knows the shape of those that it has."""
    return f"{burned.width * burned.aspect.numerator}x{burned.height * burned.aspect.denominator}"
