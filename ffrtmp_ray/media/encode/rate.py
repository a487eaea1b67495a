"""Frame rates as the fractions that they stand for."""

from __future__ import annotations

from fractions import Fraction

_NTSC = Fraction(1000, 1001)


def frame_rate(fps: float) -> Fraction:
    """The rate that `fps` is a short way of writing: 29.97 stands for 30000/1001.

    NTSC's rates (SMPTE ST 12-1) are a whole number times 1000/1001; they are usually written with
    two or three decimals.
    """
    whole = round(fps)
    if whole and abs(fps - whole) < 1e-6:
        return Fraction(whole)
    nominal = round(fps / _NTSC)
    if nominal and abs(fps - nominal * _NTSC) < 0.006:
        return nominal * _NTSC
    return Fraction(fps).limit_denominator(1001)
