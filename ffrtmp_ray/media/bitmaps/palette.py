"""The colours of decoded subtitles, which PyAV does not hand out: an encoder is asked for them.

That of DVB writes the palettes of all bitmaps before it writes any pixel.
"""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import TypeAlias

import av
import numpy as np
from av.subtitles.codeccontext import SubtitleCodecContext
from av.subtitles.subtitle import SubtitleSet
from numpy.typing import NDArray

Palette: TypeAlias = NDArray[np.uint8]
"""256 colours: red, green, blue and alpha of each."""

_CLUT = 0x12
"""Its segment with a palette (ETSI EN 300 743, 7.2.4)."""
_ENTRY = 6
"""Bytes of a colour there: index, flags, Y, Cr, Cb, transparency."""


class PaletteReader:
    """One encoder, for all that a track shows."""

    def __init__(self) -> None:
        encoder = av.CodecContext.create("dvbsub", "w")
        assert isinstance(encoder, SubtitleCodecContext)  # noqa: S101  # dvbsub is one of those
        encoder.time_base = Fraction(1, 1000)
        self._encoder = encoder

    def palettes(self, shown: SubtitleSet) -> list[Palette]:
        """Of each of its bitmaps in turn. When these are shown is lost.

        Raises av.FFmpegError when it is more than a megabyte of pixels even when packed.
        """
        shown.start_display_time = 0  # encoders insist on that; the palette has no time
        return read_palettes(bytes(self._encoder.encode_subtitle(shown)))


def read_palettes(packet: bytes) -> list[Palette]:
    """Those that a packet of DVB's subtitles has, in their order."""
    found = []
    at = packet.find(b"\x0f")
    while at >= 0 and at + 6 <= len(packet) and packet[at] == 0x0F:
        kind, _, length = struct.unpack_from(">BHH", packet, at + 1)
        if kind == _CLUT:
            found.append(_palette(packet[at + 8 : at + 6 + length]))
        at += 6 + length
    return found


def _palette(entries: bytes) -> Palette:
    """From BT.601 of limited range."""
    given = np.frombuffer(entries[: len(entries) // _ENTRY * _ENTRY], np.uint8).reshape(-1, _ENTRY)
    y = (given[:, 2].astype(float) - 16) * 255 / 219
    cr, cb = ((given[:, column].astype(float) - 128) * 255 / 224 for column in (3, 4))
    colors = np.stack(
        [y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb, 255.0 - given[:, 5]],
        axis=1,
    )
    palette = np.zeros((256, 4), np.uint8)
    palette[given[:, 0]] = np.clip(colors.round(), 0, 255)
    return palette
