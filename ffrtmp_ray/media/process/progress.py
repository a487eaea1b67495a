"""Reads what ffmpeg writes with `-progress`. Pure: lines in, values out.

A block is one `key=value` a line and ends with `progress=continue` or `progress=end`. Any value
may be `N/A`, and any key may be missing (an audio encode has no `frame` and no `fps`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class ProcessProgress:
    """How far one ffmpeg is."""

    frame: int
    """Packets of the first video stream that have been written; 0 when there is none."""
    out_time_seconds: float | None
    """Time reached in the output, which may lie before zero; None before the first packet."""
    fps: float | None
    """Frames made a second."""
    speed: float | None
    """Seconds of media made a second."""
    total_bytes: int | None
    """Written so far; None where ffmpeg cannot tell, as with several outputs."""
    done: bool
    """ffmpeg has finished its outputs and is about to exit."""

    def part_of(self, length: Fraction | float) -> float:
        """What part of so many seconds has been reached; over 1 where more is written."""
        return (self.out_time_seconds or 0.0) / max(float(length), 0.001)


class ProgressParser:
    """Gathers the lines of a block. One parser for one process."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def feed(self, line: str) -> ProcessProgress | None:
        """Take one line; a value is returned for the line that ends a block.

        A line that is no `key=value` is ignored.
        """
        key, equals, value = line.strip().partition("=")
        if not equals:
            return None
        if key != "progress":
            self._values[key] = value.strip()
            return None
        values, self._values = self._values, {}
        return ProcessProgress(
            frame=_integer(values.get("frame")) or 0,
            out_time_seconds=_out_time(values),
            fps=_number(values.get("fps")),
            speed=_number(values.get("speed", "").removesuffix("x")),
            total_bytes=_integer(values.get("total_size")),
            done=value.strip() == "end",
        )


def _out_time(values: dict[str, str]) -> float | None:
    """Seconds, from `out_time_us`; `out_time_ms` is no help, it holds microseconds as well."""
    microseconds = _integer(values.get("out_time_us"))
    if microseconds is not None:
        return microseconds / 1_000_000
    clock = re.fullmatch(r"(-?)(\d+):(\d\d):(\d\d(?:\.\d+)?)", values.get("out_time", ""))
    if clock is None:
        return None
    sign, hours, minutes, seconds = clock.groups()
    total = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return -total if sign else total


def _integer(text: str | None) -> int | None:
    number = _number(text)
    return None if number is None else int(number)


def _number(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?", text.strip()):
        return None
    return float(text)
