"""Boxes of ISO base media files (ISO/IEC 14496-12, 4.2), taken apart and put together. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator

HEADER = 8
"""Bytes of a box's size and kind."""


def header(data: bytes) -> tuple[str, int, int]:
    """Kind, size with the header, and size of the header, from a box's first 16 bytes.

    Raises ValueError where there is none; a size of 0 (to the end of the file) is none here.
    """
    if len(data) < HEADER:
        raise ValueError("a box is cut off")
    size, kind = struct.unpack_from(">I4s", data)
    length = HEADER
    if size == 1 and len(data) >= 2 * HEADER:
        (size,) = struct.unpack_from(">Q", data, HEADER)
        length = 2 * HEADER
    if size < length:
        raise ValueError(f"a box has the impossible size {size}")
    return kind.decode("latin-1"), size, length


def boxes(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Kind and content of each box of `data`. Raises ValueError where it is no list of boxes."""
    place = 0
    while place < len(data):
        kind, size, length = header(data[place : place + 2 * HEADER])
        if place + size > len(data):
            raise ValueError(f"the box {kind} is cut off")
        yield kind, data[place + length : place + size]
        place += size


def find(data: bytes, *path: str) -> bytes | None:
    """The content of the first box on a path, as `moov`, `trak`, `tkhd`; None where it is not."""
    for wanted in path:
        found = next((content for kind, content in boxes(data) if kind == wanted), None)
        if found is None:
            return None
        data = found
    return data


def box(kind: str, *content: bytes) -> bytes:
    """A box of that content."""
    size = HEADER + sum(map(len, content))
    return b"".join((struct.pack(">I4s", size, kind.encode("latin-1")), *content))
