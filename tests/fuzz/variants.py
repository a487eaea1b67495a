"""Damaged copies of clips. Pure: the same seed and number give the same damage."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

_HEADER_BYTES = 2048


def damaged(data: bytes, seed: int, number: int) -> tuple[str, bytes]:
    """What was done to a clip of those bytes, as a word, and what it is now."""
    chance = random.Random(f"{seed}-{number}")  # noqa: S311  # the same damage is wanted again
    how = chance.choice(list(DAMAGE))
    return how, DAMAGE[how](bytearray(data), chance)


def _truncated(data: bytearray, chance: random.Random) -> bytes:
    return bytes(data[: chance.randrange(len(data))])


def _flipped(data: bytearray, chance: random.Random) -> bytes:
    return _with_flips(data, chance, len(data), 2 ** chance.randrange(10))


def _header(data: bytearray, chance: random.Random) -> bytes:
    return _with_flips(data, chance, _HEADER_BYTES, 2 ** chance.randrange(5))


def _index(data: bytearray, chance: random.Random) -> bytes:
    """In its end, where MP4 has its index."""
    data.reverse()
    _with_flips(data, chance, _HEADER_BYTES, 2 ** chance.randrange(5))
    data.reverse()
    return bytes(data)


def _with_flips(data: bytearray, chance: random.Random, within: int, flips: int) -> bytes:
    for _ in range(flips):
        data[chance.randrange(min(within, len(data)))] ^= 1 << chance.randrange(8)
    return bytes(data)


def _holed(data: bytearray, chance: random.Random) -> bytes:
    """A part is missing, and what follows has moved."""
    begin = chance.randrange(len(data))
    del data[begin : begin + chance.randrange(1, 20_000)]
    return bytes(data)


def _blanked(data: bytearray, chance: random.Random) -> bytes:
    """A part holds zeros, as of a disk's lost block."""
    begin = chance.randrange(len(data))
    length = min(chance.randrange(1, 20_000), len(data) - begin)
    data[begin : begin + length] = bytes(length)
    return bytes(data)


DAMAGE: Mapping[str, Callable[[bytearray, random.Random], bytes]] = {
    "truncated": _truncated,
    "flipped": _flipped,
    "header": _header,
    "index": _index,
    "holed": _holed,
    "blanked": _blanked,
}
