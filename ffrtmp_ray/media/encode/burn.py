"""How subtitles become part of the picture: a filter of the graph. Pure.

Before the renditions part, at the source's size: so all of them have the same, it is drawn once
however many there are, and is scaled with the picture in the one cascade.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from html import escape
from pathlib import Path

from ffrtmp_ray.media.encode.graph import escaped
from ffrtmp_ray.media.encode.mark import drawable, drawn_pixels, painted
from ffrtmp_ray.media.encode.opening import opening, seconds
from ffrtmp_ray.media.encode.subtitles import LATER_MS, dumped, outside
from ffrtmp_ray.media.encode.work import Box, Burned, TextForm, TextWork, VideoWork
from ffrtmp_ray.media.timing import nearest

FONT = "Noto Sans"
"""The family that all is written in; what it lacks comes from the other fonts that are there."""
_USUAL_SIZE = Fraction(16)
"""Of 288 lines: that of libavcodec's subtitles."""
_NARROWEST = Fraction(4, 3)
"""Shape of the narrowest picture on which text of that size has room."""
_PAPER_WHITE = {"smpte2084": "949494", "arib-std-b67": "BFBFBF"}
"""203 cd/m² (ITU-R BT.2408, table 1: 58 % in PQ, 75 % in HLG), in which white would dazzle."""
STYLED_LATER = 4_004
"""Seconds by which the times of styled text are later: a cue that began before the picture keeps
its beginning, from which its effects count, and no format has times before zero. A multiple of 1001
is a whole number of ticks of nearly all clocks; ASS has no times from ten hours on."""
_EARLIER = Fraction(1, 1000)
"""Seconds by which a film is read from before it is needed: places to seek to are rounded."""
DEMUXERS = {".srt": "srt", ".vtt": "webvtt", ".ass": "ass", ".ssa": "ass"}
"""ffmpeg's names, by the suffixes of files of subtitles."""


def burning(work: VideoWork) -> list[str]:
    """Filters that draw the subtitles on frames whose times count from the picture's first one."""
    burned = work.burned
    if burned is None:
        return []
    if burned.box is not None:
        return [*drawable(work), _overlaid(work, burned, burned.box)]
    return [*drawable(work), *(_styled(burned) if burned.styled else _plain(work, burned))]


def _overlaid(work: VideoWork, burned: Burned, box: Box) -> str:
    """A film laid over the picture: as part of a chain, a filter like others.

    Frames get the times that they have in the end before they are compared with the film's, which
    are rounded alike. The film is read from the frame on that is shown when the chunk begins. It
    outlasts the picture: else overlay would repeat that's last frame for each change to come.
    """
    ticks = 0 if work.chunk is None else work.chunk.offset
    begin = max(Fraction(ticks, work.timescale) - _EARLIER, Fraction(0))
    film = [f"movie={escaped(burned.path)}:f=mov:dec_threads=1"]
    film += [f"seek_point={seconds(begin)}"] if begin else []
    deep = work.bit_depth == 10
    pixels = drawn_pixels(work)
    return ";".join(
        [
            f"settb=1/{work.timescale}[bare]",
            f"{':'.join(film)},format=gbrap,split[cuecolors][cuealphas]",
            f"[cuealphas]alphaextract,format={'gray10le' if deep else 'gray'}[cuealpha]",
            f"[cuecolors]format=gbrp,{painted(work)},format={pixels}[cuecolor]",
            "[cuecolor][cuealpha]alphamerge[cues]",
            f"[bare][cues]overlay=x={box.x}:y={box.y}:format={'yuv420p10' if deep else 'yuv420'}"
            ":shortest=1",
        ]
    )


def _styled(burned: Burned) -> list[str]:
    """For as long as they are drawn, frames are as much later as the text is."""
    later = f"{STYLED_LATER}/TB"
    return [f"setpts=PTS+{later}", _subtitles(burned), f"setpts=PTS-{later}"]


def _plain(work: VideoWork, burned: Burned) -> list[str]:
    style = [f"FontName={FONT}", f"FontSize={float(_size(burned)):g}"]
    if (white := _PAPER_WHITE.get(work.color.transfer or "")) is not None:
        style.append(f"PrimaryColour=&H{white}")
    return [f"{_subtitles(burned)}:force_style='{','.join(style)}'"]


def _subtitles(burned: Burned) -> str:
    options = [
        f"f={escaped(burned.path)}",
        f"fontsdir={escaped(burned.fonts)}",
        f"original_size={_square(burned)}",
    ]
    return f"subtitles={':'.join(options)}"


def styled_argv(ffmpeg: str, source: str, work: TextWork, *, output: str, events: str) -> list[str]:
    """The command line that takes ASS out of a source as it is: to `output`, a Matroska file, and
    to `events`, as ASS; with fonts, to a folder `fonts` beside these."""
    return [
        *opening(ffmpeg, source, threads=1),
        *dumped(work.fonts, f"{Path(output).parent}/fonts"),
        *("-i", source),
        *_as_it_is(f"0:{work.stream}", work.picture_start, work.length, output, events),
    ]


def styled_file_argv(
    ffmpeg: str,
    path: str,
    picture_start: Fraction,
    length: Fraction,
    *,
    output: str,
    events: str,
) -> list[str]:
    """The same of a file of ASS."""
    return [
        *(ffmpeg, "-nostdin", "-hide_banner", "-y", "-loglevel", "level+warning"),
        *("-progress", "pipe:1", "-nostats", "-copyts"),
        *("-protocol_whitelist", "file", "-f", "ass", "-i", path),
        *_as_it_is("0:s:0", picture_start, length, output, events),
    ]


def _as_it_is(
    stream: str, start: Fraction, length: Fraction, output: str, events: str
) -> list[str]:
    """What is shown between `start` and `length` seconds later. All is a millisecond earlier, as in
    `package.burning.burnable`."""
    later = nearest((STYLED_LATER - start) * 1000) - 1
    moved = f"setts=time_base=1/1000:prescale=1:ts='max(0,PTS+({later}))'"
    copied = ["-map", stream, "-map_metadata", "-1", "-map_chapters", "-1", "-c", "copy"]
    copied += ["-bsf:s", f"noise=drop='{outside(start, start + length)}',{moved}"]
    exact = ("-fflags", "+bitexact")  # nothing that differs from try to try
    return [*copied, *exact, "-f", "matroska", output, *copied, *exact, "-f", "ass", events]


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
