"""What the packets of PGS and DVB are made of, without what is in their pictures. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator

PGS = "hdmv_pgs_subtitle"
DVD = "dvd_subtitle"
DVB = "dvb_subtitle"
"""Codecs, by ffmpeg's names."""
PGS_COMPOSITION = 0x16
"""PGS's segment of what is on the screen."""
_DVB_PAGE = 0x10
"""DVB's (ETSI EN 300 743, 7.2.2)."""


def begins(codec: str, packet: bytes) -> bool:
    """Whether a decoder that begins with this packet shows what one does that has read all before.
    It is so of every packet of the kinds that are not made of segments."""
    if codec == PGS:
        return any(
            kind == PGS_COMPOSITION and len(content) > 7 and content[7] >> 6 != 0
            for kind, content in pgs_segments(packet)
        )
    if codec == DVB:
        return any(
            kind == _DVB_PAGE and len(content) > 1 and content[1] >> 2 & 3 != 0
            for kind, content in dvb_segments(packet)
        )
    return True


def pgs_segments(packet: bytes) -> Iterator[tuple[int, bytes]]:
    """The kind and the content of each."""
    at = 0
    while at + 3 <= len(packet):
        kind, length = struct.unpack_from(">BH", packet, at)
        yield kind, packet[at + 3 : at + 3 + length]
        at += 3 + length


def dvb_segments(packet: bytes) -> Iterator[tuple[int, bytes]]:
    """The same."""
    at = 2 if packet[:2] == b"\x20\x00" else 0  # of the PES packet
    while at + 6 <= len(packet) and packet[at] == 0x0F:
        kind, _, length = struct.unpack_from(">BHH", packet, at + 1)
        yield kind, packet[at + 6 : at + 6 + length]
        at += 6 + length
