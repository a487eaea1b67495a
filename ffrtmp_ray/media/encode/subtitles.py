"""The command lines that take subtitles out of a source. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

from ffrtmp_ray.media.encode.opening import opening, seconds
from ffrtmp_ray.media.encode.work import AttachedFont, TextWork

LATER_MS = 3_600_000
"""Milliseconds that are added to all times, since formats of text have none before zero; see
`package.cues.retimed`."""


def text_argv(ffmpeg: str, source: str, work: TextWork, *, output: str) -> list[str]:
    """The whole command line; `output` is the path of the text to make, whose times are counted
    from `LATER_MS` before the picture's first frame."""
    form = work.form.value
    return [
        *opening(ffmpeg, source, threads=1),
        *("-itsoffset", seconds(LATER_MS // 1000 - work.picture_start)),
        *("-i", source),
        *("-map", f"0:{work.stream}"),
        *("-map_metadata", "-1", "-map_chapters", "-1"),
        *("-c:s", form, "-f", form, output),
    ]


def whole_argv(ffmpeg: str, source: str, work: TextWork, *, output: str) -> list[str]:
    """The command line that takes all packets of a track out of a source, to the path of a Matroska
    file, `LATER_MS` later."""
    return [
        *opening(ffmpeg, source, threads=1),
        *("-itsoffset", str(LATER_MS // 1000)),
        *("-i", source, "-map", f"0:{work.stream}"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-c", "copy"),
        *("-f", "matroska", output),
    ]


def packets_argv(
    ffmpeg: str, source: str, work: TextWork, *, output: str, first: Fraction | None = None
) -> list[str]:
    """The whole command line that takes them as they are; `output` is the path of a Matroska file
    whose time zero is the picture's first frame.

    What is shown by then is shown from then on: what says for how long, and all packets from that
    on which is due at `first`.
    """
    start, end = _number(work.picture_start), _number(work.picture_start + work.length)
    over = outside(work.picture_start, work.picture_start + work.length)
    if first is not None:
        over = f"lt(pts*tb,{_number(first)})+gte(pts*tb,{end})"
    time = f"max(0,round(PTS-{start}/TB))"
    rest = f"min(max(0,DURATION-max(0,round({start}/TB-PTS))),round({end}/TB)-max(PTS,{start}/TB))"
    return [
        *opening(ffmpeg, source, threads=1),
        *dumped(work.fonts, str(Path(output).parent)),
        *("-i", source, "-map", f"0:{work.stream}"),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-c", "copy"),
        *("-bsf:s", f"noise=drop='{over}',setts=ts='{time}':duration='{rest}'"),
        *("-f", work.form.value, output),
    ]


def outside(start: Fraction, end: Fraction) -> str:
    """An expression for ffmpeg's bitstream filters: the packet is shown at no time from `start` on
    and before `end`."""
    begin = _number(start)
    return f"lt(pts*tb,{begin})*lte((pts+duration)*tb,{begin})+gte(pts*tb,{_number(end)})"


def dumped(fonts: Iterable[AttachedFont], folder: str) -> list[str]:
    """The options of an input that put its fonts into a folder, by names of ours."""
    words = ((f"-dump_attachment:t:{each.number}", f"{folder}/{each.name}") for each in fonts)
    return [word for pair in words for word in pair]


def _number(time: Fraction) -> str:
    return f"({time.numerator}/{time.denominator})"
