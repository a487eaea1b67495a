"""What a frame says of its colours, in ffmpeg's words. Runs in the child process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from av.video.frame import VideoFrame

from ffrtmp_ray.media.encode.work import Color

# Numbers of ITU-T H.273 (tables 2 to 4), words of ffmpeg's filter setparams: those that its filter
# scale and all encoders take. Others keep their number.
_PRIMARIES = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film",
    9: "bt2020", 10: "smpte428", 11: "smpte431", 12: "smpte432",
}  # fmt: skip
_TRANSFERS = {
    1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "linear",
    11: "iec61966-2-4", 12: "bt1361e", 13: "iec61966-2-1", 14: "bt2020-10", 15: "bt2020-12",
    16: "smpte2084", 17: "smpte428", 18: "arib-std-b67",
}  # fmt: skip
_MATRICES = {
    1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc",
}  # fmt: skip
_RANGES: dict[int, Literal["tv", "pc"]] = {1: "tv", 2: "pc"}
_UNSAID = (0, 2, 3)
"""Reserved, or "unspecified"."""
_IDENTITY = 0
"""The matrix of RGB."""


def is_rgb(frame: VideoFrame) -> bool:
    return frame.format.is_rgb or frame.format.has_palette


def color_of(frame: VideoFrame) -> Color:
    primaries = _word(_PRIMARIES, frame.color_primaries)
    transfer = _word(_TRANSFERS, frame.color_trc)
    if is_rgb(frame):  # its matrix and range go without saying
        return Color(primaries=primaries, transfer=transfer)
    matrix = _word(_MATRICES, frame.colorspace)
    if frame.colorspace == _IDENTITY:
        matrix = "unknown"  # said in error, and no encoder would believe it
    return Color(
        primaries=primaries,
        transfer=transfer,
        matrix=matrix,
        range=_RANGES.get(frame.color_range),
    )


def _word(words: Mapping[int, str], number: int) -> str | None:
    return None if number in _UNSAID else words.get(number, str(number))
