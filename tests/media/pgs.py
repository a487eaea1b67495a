"""Subtitles that are pictures, as discs have them (PGS), made up: ffmpeg has no encoder of them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

WIDTH, HEIGHT = 16, 8
"""Of each picture, in pixels."""
WHITE = (235, 128, 128, 255)
"""Y, Cr, Cb and opacity."""


@dataclass(frozen=True)
class Screen:
    """What is shown from a time on, in seconds."""

    time: float
    shown: bool = True
    """A box; else nothing."""
    color: tuple[int, int, int, int] = WHITE
    place: tuple[int, int] = (8, 40)
    box: tuple[int, int] = (WIDTH, HEIGHT)
    """Width and height, each at most 63."""
    forced: bool = False
    palette_alone: bool = False
    """Of the box that is shown already, nothing is said but its new colour."""


def sup(cues: Iterable[tuple[float, float]], *, size: tuple[int, int] = (64, 64)) -> bytes:
    """A .sup file of white boxes, each shown from and to a time in seconds, at (8, 40) of a picture
    of that size."""
    return sup_of(
        (screen for start, end in cues for screen in (Screen(start), Screen(end, shown=False))),
        size=size,
    )


def sup_of(screens: Iterable[Screen], *, size: tuple[int, int]) -> bytes:
    """A .sup file of what is shown by turns, on screens of that size."""
    return b"".join(
        part for number, screen in enumerate(screens) for part in _set(screen, number, size)
    )


def _set(screen: Screen, number: int, size: tuple[int, int]) -> Iterator[bytes]:
    """A display set."""
    time, (width, height) = screen.time, screen.box
    state, objects = 0x80 if screen.shown else 0, b""
    if screen.palette_alone:
        state = 0
    if screen.shown:
        objects = struct.pack(">HBBHH", 0, 0, 0x40 * screen.forced, *screen.place)
    update = 0x80 * screen.palette_alone
    composition = struct.pack(">HHBHBBBB", *size, 0x10, number, state, update, 0, bool(objects))
    yield _segment(time, 0x16, composition + objects)
    yield _segment(time, 0x17, struct.pack(">BBHHHH", 1, 0, *screen.place, width, height))
    if screen.shown:
        yield _segment(time, 0x14, bytes((0, 0, 1, *screen.color)))
    if screen.shown and not screen.palette_alone:
        pixels = bytes((0, 0x80 | width, 1, 0, 0)) * height
        head = struct.pack(">HBB", 0, 0, 0xC0) + (len(pixels) + 4).to_bytes(3, "big")
        yield _segment(time, 0x15, head + struct.pack(">HH", width, height) + pixels)
    yield _segment(time, 0x80, b"")


def _segment(time: float, kind: int, content: bytes) -> bytes:
    return b"PG" + struct.pack(">IIBH", round(time * 90_000), 0, kind, len(content)) + content
