"""Subtitles that are pictures, as discs have them (PGS), made up: ffmpeg has no encoder of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

WIDTH, HEIGHT = 16, 8
"""Of each picture, in pixels."""
WHITE = (235, 128, 128, 255)
"""Y, Cr, Cb and opacity."""


def sup(cues: Iterable[tuple[float, float]], *, size: tuple[int, int] = (64, 64)) -> bytes:
    """A .sup file of white boxes, each shown from and to a time in seconds, at (8, 40) of a picture
    of that size."""
    return b"".join(
        part
        for number, (start, end) in enumerate(cues)
        for part in (
            *_set(start, 2 * number, size, shown=True),
            *_set(end, 2 * number + 1, size, shown=False),
        )
    )  # fmt: skip


def _set(time: float, number: int, size: tuple[int, int], *, shown: bool) -> Iterator[bytes]:
    """A display set: what is on the screen from `time` on."""
    state, objects = (0x80, struct.pack(">HBBHH", 0, 0, 0, 8, 40)) if shown else (0, b"")
    composition = struct.pack(">HHBHBBBB", *size, 0x10, number, state, 0, 0, bool(objects))
    yield _segment(time, 0x16, composition + objects)
    yield _segment(time, 0x17, struct.pack(">BBHHHH", 1, 0, 8, 40, WIDTH, HEIGHT))
    if shown:
        yield _segment(time, 0x14, bytes((0, 0, 1, *WHITE)))
        pixels = bytes((0, 0x80 | WIDTH, 1, 0, 0)) * HEIGHT
        head = struct.pack(">HBB", 0, 0, 0xC0) + (len(pixels) + 4).to_bytes(3, "big")
        yield _segment(time, 0x15, head + struct.pack(">HH", WIDTH, HEIGHT) + pixels)
    yield _segment(time, 0x80, b"")


def _segment(time: float, kind: int, content: bytes) -> bytes:
    return b"PG" + struct.pack(">IIBH", round(time * 90_000), 0, kind, len(content)) + content
