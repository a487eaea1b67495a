"""The command line that takes text out of a source. Pure."""

from __future__ import annotations

from ffrtmp_ray.media.encode.opening import opening, seconds
from ffrtmp_ray.media.encode.work import TextWork

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
