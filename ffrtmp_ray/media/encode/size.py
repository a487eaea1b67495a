"""How large a rendition is: square pixels, even numbers, the picture's shape, never enlarged."""

from __future__ import annotations

from fractions import Fraction


def fit(
    source_width: int,
    source_height: int,
    sar: Fraction | None,
    rotation: int,
    height: int | None,
) -> tuple[int, int]:
    """Width and height in pixels of a rendition of `height` rows; None keeps the source's rows.

    `source_width` and `source_height` are those of the coded picture, `sar` is the shape of its
    pixels (width / height; None or 0 means square), `rotation` the degrees by which it is turned
    when shown, in either direction; aslant it keeps its sides, as in ffmpeg. 4:2:0 pictures need
    even numbers.
    """
    shape = Fraction(source_width, source_height) * (sar or 1)
    rows = source_height
    if rotation % 180 == 90:
        shape = 1 / shape
        rows = source_width
    out_height = _even_below(rows if height is None else min(height, rows))
    widest = _even_below(int(shape * rows))
    return min(_nearest_even(shape * out_height), widest), out_height


def _even_below(number: int) -> int:
    return max(2, number // 2 * 2)


def _nearest_even(number: Fraction) -> int:
    return max(2, 2 * round(number / 2))
