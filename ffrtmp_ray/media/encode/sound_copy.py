"""The command line that takes the packets of a source's sound as they are. Pure."""

from __future__ import annotations

from fractions import Fraction

from ffrtmp_ray.media.encode.opening import opening
from ffrtmp_ray.media.encode.work import AudioWork, SoundCopy

_PREROLL = Fraction(8, 100)
"""Seconds of packets that are kept, unheard, before the first that is heard: decoders need what
came before, Opus most of it (RFC 7845, 4.6)."""
_ROUNDING = Fraction(15, 10_000)
"""Seconds by which containers that count milliseconds may have moved a packet."""
_MUXERS = {"mp4": "mp4", "mka": "matroska"}


def sound_copy_argv(
    ffmpeg: str, source: str, work: AudioWork, copy: SoundCopy, *, output: str
) -> list[str]:
    """The whole command line; `output` is the path of a file of the container that `copy` names,
    whose time zero is the picture's first frame.

    In MP4 the packets that lie before that are there, and an edit list hides them to the sample;
    Matroska has no such list, and begins with the first packet that is heard whole.
    """
    start = work.picture_start
    if copy.container == "mp4":
        dropped = f"lte((pts+duration)*tb,{_number(start - _PREROLL)})"
    else:
        dropped = f"lt(pts*tb,{_number(start - _ROUNDING)})"
    if work.length is not None:
        dropped = f"{dropped}+gte(pts*tb,{_number(start + work.length)})"
    time = _quoted(_time(start, copy.frame_samples))
    moved = f"setts=time_base=1/{work.source_rate}:prescale=1:ts={time}"
    return [
        *opening(ffmpeg, source, threads=1),
        *("-i", source, "-map", f"0:{work.stream}", "-c", "copy"),
        *("-bsf:a", f"noise=drop={_quoted(dropped)},{moved}"),
        *("-map_metadata", "-1", "-map_chapters", "-1"),
        *("-f", _MUXERS[copy.container], output),
    ]


def _time(start: Fraction, frame_samples: int) -> str:
    """When a packet is heard, in samples. Where the source's clock is so coarse that packets which
    follow each other seem not to, each begins where the one before it ends."""
    moved = f"PTS-round(({start})/TB)"
    if not frame_samples:
        return moved
    following = f"PREV_OUTPTS+{frame_samples}"
    near = f"lt(abs(ld(0)-{following}),{_number(_ROUNDING)}/TB)"
    return f"st(0,{moved});if({near},{following},ld(0))"


def _number(seconds: Fraction) -> str:
    return f"({seconds.numerator}/{seconds.denominator})"


def _quoted(expression: str) -> str:
    """As the options of bitstream filters are read (ffmpeg-utils, "Quoting and escaping")."""
    return f"'{expression}'"
