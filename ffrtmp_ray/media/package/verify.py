"""Is a finished file what the plan promised? Pure: compares what was found in it with that."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from ffrtmp_ray.media.encode.work import Color, Light
from ffrtmp_ray.media.package.verify_color import color_faults
from ffrtmp_ray.media.probe.source import Decoded, Source
from ffrtmp_ray.media.spec import Container

SAMPLED = (0.0, 0.5, 0.95)
"""Where verification decodes: beginning, middle, and close to the end."""

_MATROSKA_TICK = Fraction(1, 1000)
"""Matroska and WebM keep times in milliseconds (TimestampScale's default, RFC 9559)."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a file is to be. Times in seconds."""

    container: Container
    codec: str
    """ffmpeg's name."""
    width: int
    height: int
    frames: int
    span: Fraction
    """From its first frame to its last."""
    timescale: int
    sounds: tuple[str, ...]
    """Their codecs."""
    color: Color
    """What is None may be anything."""
    light: Light | None


def faults(promise: Promise, found: Source, decoded: Decoded) -> list[str]:
    """Everything that is not as promised, each as a clause; empty when the file is good."""
    video = found.video
    wrong = [
        f"{what} is {have}, not {want}"
        for what, have, want in (
            ("the codec", video.codec, promise.codec),
            ("the size", _size(video.width, video.height), _size(promise.width, promise.height)),
            ("the number of frames", video.frames, promise.frames),
            ("the sound", _sounds(found), ", ".join(promise.sounds) or "none"),
        )
        if have != want
    ]
    tick = tick_of(promise.container, promise.timescale)
    if abs(video.first) > tick:
        wrong.append(f"the first frame is at {_s(video.first)}, not at zero")
    span = video.last - video.first
    if abs(span - promise.span) > tick:
        wrong.append(f"first and last frame are {_s(span)} apart, not {_s(promise.span)}")
    wrong += color_faults(promise.color, promise.light, video)
    if decoded.damaged or not decoded.frames:
        wrong.append(f"{decoded.damaged} of {decoded.frames + decoded.damaged} frames are damaged")
    return wrong


def tick_of(container: Container, timescale: int) -> Fraction:
    """How far times in such a file may be from exact ones: one tick of each rounding."""
    tick = Fraction(1, timescale)
    return tick if container is Container.MP4 else tick + _MATROSKA_TICK


def _sounds(found: Source) -> str:
    return ", ".join(sound.codec for sound in found.audio) or "none"


def _size(width: int, height: int) -> str:
    return f"{width}x{height}"


def _s(seconds: Fraction) -> str:
    return f"{float(seconds):.6f} s"
