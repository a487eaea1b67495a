"""The subtitles of a package: WebVTT, whole for DASH, and cut where the pictures are for HLS."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from ffrtmp_ray.media.package import cues
from ffrtmp_ray.media.package.mux import TS_OFFSET
from ffrtmp_ray.media.package.streams import (
    WHOLE_TEXT,
    Stream,
    SubtitleStream,
    segment_name,
    segments,
)
from ffrtmp_ray.media.spec.packaging import HlsSegments
from ffrtmp_ray.media.steps.joining import text_path
from ffrtmp_ray.media.steps.making import Making, names_of
from ffrtmp_ray.media.timing import nearest

_CODEC = "wvtt"
"""RFC 6381's name of WebVTT."""


def subtitle_streams(making: Making, like: Stream) -> tuple[SubtitleStream, ...]:
    """Those that show anything, with segments at the times of those of `like`."""
    found = ((text, text_path(making.step, text)) for text in making.work.texts)
    shown = [(text, path) for text, path in found if path is not None]
    names = names_of([text for text, _ in shown], "subtitles")
    return tuple(
        SubtitleStream(
            name=name,
            language=text.language,
            default="default" in text.dispositions,
            forced="forced" in text.dispositions,
            stream=_written(making, path, f"text/{number}", like),
        )
        for number, (name, (text, path)) in enumerate(zip(names, shown, strict=True))
    )


def _written(making: Making, path: Path, folder: str, like: Stream) -> Stream:
    (making.staged / folder).mkdir(parents=True)
    whole = path.read_text("utf-8")
    (making.staged / folder / WHOLE_TEXT).write_text(whole, "utf-8")
    later = TS_OFFSET if making.packaging.hls is HlsSegments.TS else 0
    shown, sizes = cues.read(whole), []
    for place, segment in enumerate(like.segments, start=1):
        begin, end = (_ms(tick, like) for tick in (segment.start, segment.end))
        data = cues.segment(shown, begin, end, later).encode()
        (making.staged / folder / segment_name(place, "vtt")).write_bytes(data)
        sizes.append(len(data))
    starts = [segment.start for segment in like.segments]
    cut = segments(starts, like.segments[-1].end, sizes, "vtt")
    return Stream(folder, (_CODEC,), like.timescale, cut)


def _ms(tick: int, stream: Stream) -> int:
    return nearest(Fraction(tick * 1000, stream.timescale))
