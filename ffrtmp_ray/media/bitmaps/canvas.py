"""How large the screen is that subtitles were drawn for, and where it lies on a picture. Pure."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from ffrtmp_ray.media.bitmaps.segments import (
    DVB,
    DVD,
    PGS,
    PGS_COMPOSITION,
    dvb_segments,
    pgs_segments,
)

Size: TypeAlias = tuple[int, int]
"""Width and height in pixels."""

_DVB_USUAL: Size = (720, 576)
"""Where nothing is said (ETSI EN 300 743, 7.2.1)."""
_DVD_SIZE = re.compile(rb"^size:\s*(\d+)x(\d+)", re.MULTILINE)
"""In the header of VobSub, which Matroska has too; libavformat writes it for MP4."""
_DISPLAY = 0x14
"""DVB's (EN 300 743, 7.2.1)."""


@dataclass(frozen=True, slots=True)
class Placement:
    """How pixels of a screen become pixels of a picture: multiplied, then moved."""

    across: Fraction
    down: Fraction
    left: Fraction
    top: Fraction


def said_once(codec: str, header: bytes) -> Size | None:
    """The size that a track's header says, or that all tracks of its kind have at first."""
    if codec == DVB:
        return _DVB_USUAL
    found = _DVD_SIZE.search(header) if codec == DVD else None
    return None if found is None else (int(found.group(1)), int(found.group(2)))


def said_in(codec: str, packet: bytes) -> Size | None:
    """The size that a packet says, from which on it holds."""
    if codec == PGS:
        for kind, content in pgs_segments(packet):
            if kind == PGS_COMPOSITION and len(content) >= 4:
                return struct.unpack_from(">HH", content)
    if codec == DVB:
        for kind, content in dvb_segments(packet):
            if kind == _DISPLAY and len(content) >= 5:
                width, height = struct.unpack_from(">HH", content, 1)
                return width + 1, height + 1
    return None


def placed(codec: str, screen: Size, picture: Size, aspect: Fraction) -> Placement:
    """Where `screen` lies on a picture whose pixels are `aspect` times as wide as high.

    PGS has square pixels, and its screen is that of the disc: a picture may have lost its black
    bars since. Its shape is kept, as large as it fits, in the middle. The others are drawn on the
    picture's own pixels, whatever shape these are shown in.
    """
    across, down = Fraction(picture[0], screen[0]), Fraction(picture[1], screen[1])
    if codec == PGS:
        down = min(down, across * aspect)
        across = down / aspect
    return Placement(
        across, down, (picture[0] - screen[0] * across) / 2, (picture[1] - screen[1] * down) / 2
    )
