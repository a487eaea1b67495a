"""Finds pictures whose packets do not say when they are shown.

Raw streams have no times. AVI has those of decoding alone, as have ASF and MXF as some programs
write them: where frames are decoded in another order than that in which they are shown, what a
packet says is another frame's time. All times are there, but nobody knows which frame has which
before all are put in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from av.video.frame import VideoFrame

from ffrtmp_ray.media.encode.work import Regular
from ffrtmp_ray.media.probe.scan import Scan
from ffrtmp_ray.media.timing import nearest

LOOKED_AT = 40
"""Frames in which a stream that has some out of order shows them: no codec puts one off by more
than 16."""


RAW_RATE = Fraction(25)
"""Frames a second of a raw stream that says nothing, as ffmpeg has it."""


@dataclass(frozen=True, slots=True)
class Order:
    """Of frames that are not shown when their packets say."""

    first: int
    """The tick at which the first frame is shown."""
    step: Fraction | None
    """Ticks from each to the next; None where they are not all the same."""

    def ticks(self, found: Scan) -> list[int]:
        """When each frame is shown, rising; where that is not known, their times as they may be."""
        if self.step is None:
            return [tick + self.first - found.ticks[0] for tick in found.ticks]
        return [self.first + nearest(number * self.step) for number in range(found.frames)]

    def regular(self, time_base: Fraction) -> Regular | None:
        """The same for those who decode; `time_base` is seconds in a tick."""
        if self.step is None:
            return None
        return Regular(time_base=time_base, first=self.first, step=self.step)


def order_of(found: Scan, frames: Sequence[VideoFrame]) -> Order | None:
    """Of a picture whose packets were found so, and whose first frames are decoded as `frames`.
    None: they are shown when their packets say.

    Where packets have no time of showing, libavformat makes one up of the next packet's time of
    decoding, and ffmpeg shows the first frame when it comes out of the decoder; where they have one
    that is false, the first frame's is believed.
    """
    shown = [frame.pts for frame in frames if frame.pts is not None]
    if not found.countable or all(one < other for one, other in pairwise(shown)):
        return None
    begin = found.ticks[0] if found.together else frames[0].dts
    return Order(found.ticks[0] if begin is None else begin, _step(found.ticks))


def untimed(rate: Fraction | None, time_base: Fraction) -> Order:
    """Of a raw stream, whose packets have no times at all; `rate` is that of its parameters, in
    frames a second."""
    return Order(0, 1 / ((rate or RAW_RATE) * time_base))


def _step(ticks: Sequence[int]) -> Fraction | None:
    """That brings all to within a tick of where they are."""
    if len(ticks) < 2:
        return None
    step = Fraction(ticks[-1] - ticks[0], len(ticks) - 1)
    near = all(abs(tick - ticks[0] - number * step) <= 1 for number, tick in enumerate(ticks))
    return step if near else None
