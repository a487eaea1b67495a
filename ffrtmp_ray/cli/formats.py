"""Numbers as people read them. Pure: the moment it is now is given, never asked for."""

from __future__ import annotations

from datetime import UTC, datetime

from rich import filesize

NOTHING = "-"
"""Stands for what is not known."""


def duration(seconds: float | None) -> str:
    """`0.4 s`, `12 s`, `3 min 05 s`, `2 h 10 min`, `4 d 03 h`: two units at most."""
    if seconds is None:
        return NOTHING
    if seconds < 9.95:  # from here on it would round to 10.0
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    days, hours_left = divmod(hours, 24)
    if days:
        return f"{days} d {hours_left:02} h"
    if hours:
        return f"{hours} h {minutes_left:02} min"
    if minutes:
        return f"{minutes} min {rest:02} s"
    return f"{whole} s"


def ago(at: float, now: float) -> str:
    """How long before `now` (both seconds since 1970)."""
    return f"{duration(now - at)} ago"


def moment(at: float | None) -> str:
    """Seconds since 1970 as date and time of this machine's zone."""
    if at is None:
        return NOTHING
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def size(count: int | None) -> str:
    """Bytes, in powers of 1000: `1.2 MB`."""
    return NOTHING if count is None else filesize.decimal(count)


def percent(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1f} %"


def fps(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0f} fps"


def speed(value: float | None) -> str:
    """Seconds of media made a second."""
    return NOTHING if value is None else f"{value:.2f}x"
