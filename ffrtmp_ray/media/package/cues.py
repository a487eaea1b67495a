"""Subtitles as text: read from what ffmpeg writes, moved in time, written again. Pure.

Formats are SubRip and WebVTT, which have the same frame; what is within a cue is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ffrtmp_ray.media.encode.work import TextForm

_TIME = r"(?:(\d+):)?(\d\d):(\d\d)[,.](\d{3})"
"""WebVTT may leave out the hours, as ffmpeg does where there are none."""
_TIMING = re.compile(rf"^{_TIME} --> {_TIME}(?: .*)?$")

_MPEG_CLOCK = 90_000
"""Ticks a second."""


@dataclass(frozen=True, slots=True)
class Cue:
    start: int
    """Milliseconds."""
    end: int
    lines: tuple[str, ...]
    """None is empty: an empty line ends a cue."""


def read(text: str) -> list[Cue]:
    """Those of a text in either format that have times, in their order."""
    cues: list[Cue] = []
    lines: list[str] = []
    times: tuple[int, int] | None = None
    for line in (*text.splitlines(), "00:00:00,000 --> 00:00:00,000"):
        timing = _TIMING.match(line)
        if timing is None:
            lines.append(line)
            continue
        if times is not None:
            cues.append(Cue(*times, _within(lines)))
        times, lines = (_ms(timing.groups()[:4]), _ms(timing.groups()[4:])), []
    return [cue for cue in cues if cue.lines]


def retimed(cues: Iterable[Cue], earlier: int, length: int) -> list[Cue]:
    """All `earlier` by so many milliseconds; those that are shown between zero and `length`, and
    of them that part."""
    moved = (
        replace(cue, start=max(cue.start - earlier, 0), end=min(cue.end - earlier, length))
        for cue in cues
    )
    return [cue for cue in moved if cue.start < cue.end]


def write(cues: Iterable[Cue], form: TextForm) -> str:
    if form is TextForm.WEBVTT:
        blocks = [f"{_said(cue, '.')}\n{_text(cue)}" for cue in cues]
        return "\n\n".join(["WEBVTT", *blocks]) + "\n"
    blocks = [f"{n}\n{_said(cue, ',')}\n{_text(cue)}\n" for n, cue in enumerate(cues, 1)]
    return "\n".join(blocks)


def segment(cues: Iterable[Cue], begin: int, end: int, later: int) -> str:
    """A segment of HLS (RFC 8216, 3.5): the cues that are shown between those milliseconds, each
    whole, since players know one that they have by its times. `later` is how many seconds the
    clock of the segments of pictures is ahead."""
    shown = [cue for cue in cues if cue.start < end and cue.end > begin]
    clock = f"X-TIMESTAMP-MAP=MPEGTS:{later * _MPEG_CLOCK},LOCAL:00:00:00.000"
    return write(shown, TextForm.WEBVTT).replace("WEBVTT", f"WEBVTT\n{clock}", 1)


def _within(lines: list[str]) -> tuple[str, ...]:
    """Of the lines up to the next cue's times, those that are text: SubRip has a number and both
    have an empty line before the next cue."""
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    if len(lines) > 1 and lines[-1].isdecimal() and not lines[-2].strip():
        lines = lines[:-1]
    return tuple(line for line in lines if line.strip())


def _text(cue: Cue) -> str:
    return "\n".join(cue.lines)


def _said(cue: Cue, mark: str) -> str:
    return f"{_clock(cue.start, mark)} --> {_clock(cue.end, mark)}"


def _clock(ms: int, mark: str) -> str:
    seconds, rest = divmod(ms, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}{mark}{rest:03}"


def _ms(groups: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, rest = (int(each or 0) for each in groups)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + rest
