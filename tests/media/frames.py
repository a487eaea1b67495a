"""What is seen and heard in a file, by decoding it: the tests' own look, not the product's."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from ffrtmp_ray.media.timing import timescale


def picture_of(container: InputContainer) -> VideoStream:
    cover = Disposition.attached_pic
    return next(s for s in container.streams.video if not s.disposition & cover)


def times(path: Path) -> list[Fraction]:
    """When the frames of a file's picture are shown, by decoding it."""
    with av.open(str(path), metadata_errors="replace") as container:
        frames = list(container.decode(picture_of(container)))
    return sorted(frame.pts * frame.time_base for frame in frames)


def time_base(path: Path) -> Fraction:
    with av.open(str(path), metadata_errors="replace") as container:
        return Fraction(picture_of(container).time_base or 0)


def assert_same_frames(source: Path, made: Path) -> None:
    """The same number, at the same times but for one rounding to a tick of the output."""
    want, have = times(source), times(made)
    assert len(have) == len(want)
    tick = Fraction(1, timescale(time_base(source)))
    if made.suffix != ".mp4":
        tick += Fraction(1, 1000)
    assert have[0] == 0
    for one, other in zip(want, have, strict=True):
        assert abs((one - want[0]) - other) <= tick


def onset(path: Path) -> float:
    """Seconds from the first picture until something is heard."""
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.audio[0]):
            samples = np.abs(frame.to_ndarray().astype(float)).max(axis=0)
            loud = np.nonzero(samples > samples.dtype.type(0.02))[0]
            if len(loud):
                assert frame.time is not None
                return float(frame.time) + float(loud[0]) / frame.sample_rate
    raise AssertionError("nothing is heard")
