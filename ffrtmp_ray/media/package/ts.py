"""When the picture of an MPEG-2 transport stream begins (ISO/IEC 13818-1). Pure."""

from __future__ import annotations

_PACKET, _SYNC = 188, 0x47
CLOCK = 90_000
"""Ticks a second of its times."""
WRAPS = 2**33
"""Ticks after which its times begin anew."""
PICTURE, SOUND = range(0xE0, 0xF0), range(0xC0, 0xE0)
"""Stream ids (table 2-22)."""


def first_time(data: bytes, kinds: range) -> int | None:
    """The first presentation time of an elementary stream whose id is in `kinds`; None where the
    beginning of a transport stream has none."""
    for place in range(0, len(data) - _PACKET + 1, _PACKET):
        packet = data[place : place + _PACKET]
        if packet[0] != _SYNC:
            return None
        if not packet[1] & 0x40:  # no elementary packet begins here
            continue
        skipped = 5 + packet[4] if packet[3] & 0x20 else 4
        pes = packet[skipped:]
        if pes[:3] == b"\0\0\1" and pes[3] in kinds and pes[7] & 0x80:
            return _time(pes[9:14])
    return None


def _time(field: bytes) -> int:
    """33 bits in five bytes (2.4.3.6)."""
    high, middle, low = field[0] >> 1 & 0x7, (field[1] << 8 | field[2]) >> 1, field[3:5]
    return high << 30 | middle << 15 | int.from_bytes(low, "big") >> 1
