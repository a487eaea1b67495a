"""How every encode begins: quiet, deaf to the keyboard, and allowed to open its input only."""

from __future__ import annotations

import math
from fractions import Fraction

from ffrtmp_ray.media.inputs import DECODER_OPTIONS, open_options


def opening(ffmpeg: str, source: str, threads: int) -> list[str]:
    """The command line up to the options of the input, which is at the address `source`; `-i` comes
    next.

    `-copyts` keeps the source's own times, so that picture and sound, each made by a process of
    its own, and all chunks have one timeline. It makes ffmpeg count the `out_time` and the `speed`
    of its progress from its first report on, half a second of work short; frames are exact.
    """
    given = {**open_options(source), **DECODER_OPTIONS}
    options = [part for name, value in given.items() for part in (f"-{name}", value)]
    return [
        ffmpeg,
        *("-nostdin", "-hide_banner", "-y"),
        *("-loglevel", "level+warning"),
        *("-progress", "pipe:1", "-nostats"),
        "-copyts",
        *options,
        *("-threads", str(threads)),
    ]


def seconds(time: Fraction) -> str:
    """`time` as ffmpeg reads it, to the microsecond, its own precision; rounded up, since a time
    just before a keyframe's would have ffmpeg read from the keyframe before that one."""
    microseconds = math.ceil(time * 1_000_000)
    sign = "-" if microseconds < 0 else ""
    whole, part = divmod(abs(microseconds), 1_000_000)
    return f"{sign}{whole}.{part:06d}"
