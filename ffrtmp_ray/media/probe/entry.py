"""At which keyframes a decoder may begin, with nothing from before: by their first bytes. Pure.

Not at all that containers mark: H.264's may be followed by pictures that refer to what came before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

_HEVC_ANEW = range(16, 22)
"""BLA, IDR and CRA: what follows one and is shown after it refers to nothing before it (ITU-T
H.265, 7.4.2.2)."""
_H264_ANEW = 5
"""IDR (ITU-T H.264, table 7-1)."""
_AV1_FRAMES = (3, 6)
"""OBU_FRAME_HEADER and OBU_FRAME (AV1 bitstream specification, 6.2.2)."""
_SHOWN_KEY = 0b0001
"""show_existing_frame 0, frame_type KEY_FRAME, show_frame 1 (5.9.2): it replaces all that later
frames may refer to."""
_LONGEST_NUMBER = 8
"""Bytes of AV1's leb128."""

Test = Callable[[memoryview], bool]


def entry_test(codec: str, extradata: bytes) -> Test | None:
    """Whether the packet of a keyframe in MP4, which is given to the test, is such; None where
    nothing is known of that codec. `codec` is libavcodec's name."""
    if codec == "h264" and len(extradata) > 4 and extradata[0] == 1:
        size = (extradata[4] & 3) + 1  # avcC, ISO/IEC 14496-15, 5.3.3.1.2
        return lambda data: _h264(data, size)
    if codec == "hevc" and len(extradata) > 21 and extradata[0] == 1:
        length = (extradata[21] & 3) + 1  # hvcC, 8.3.3.1.2
        return lambda data: _hevc(data, length)
    if codec == "av1":
        return _av1
    return None


def _h264(data: memoryview, size: int) -> bool:
    types = (unit[0] & 31 for unit in _units(data, size))
    return next((kind for kind in types if 1 <= kind <= 5), 0) == _H264_ANEW


def _hevc(data: memoryview, size: int) -> bool:
    types = (unit[0] >> 1 & 63 for unit in _units(data, size))
    return next((kind for kind in types if kind < 32), 0) in _HEVC_ANEW


def _units(data: memoryview, size: int) -> Iterator[memoryview]:
    """NAL units, each of which is written behind its length of `size` bytes."""
    place = 0
    while place + size < len(data):
        length = int.from_bytes(data[place : place + size], "big")
        place += size
        if length:
            yield data[place : place + length]
        place += length


def _av1(data: memoryview) -> bool:
    for kind, payload in _obus(data):
        if kind in _AV1_FRAMES:
            return len(payload) > 0 and payload[0] >> 4 == _SHOWN_KEY
    return False


def _obus(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    place = 0
    while place < len(data):
        head = data[place]
        place += 2 if head & 4 else 1  # obu_extension_flag
        length = len(data) - place
        if head & 2:  # obu_has_size_field
            length, place = _leb128(data, place)
        yield head >> 3 & 15, data[place : place + length]
        place += length


def _leb128(data: memoryview, place: int) -> tuple[int, int]:
    """The number, and where it ends."""
    value = 0
    for number, byte in enumerate(data[place : place + _LONGEST_NUMBER]):
        value |= (byte & 127) << 7 * number
        if byte < 128:
            return value, place + number + 1
    return value, len(data)
