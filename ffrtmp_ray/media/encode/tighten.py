"""How a rendition is encoded again that has exceeded its `max_bitrate`: coarser by what it was
over, in few tries. Pure.

SVT-AV1 and libvpx take a cap for a goal. A lower goal costs little where the picture is calm, which
its crf decides; libvpx may ignore any (noise after black had it spend ten times the rate for
seconds), so that a higher crf follows, finer than which no frame becomes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_TRIES = 4
"""The last has the coarsest crf that there is: what exceeds its bitrate even so exceeds it by any
encode of that size."""
_MARGIN = 0.9
"""What follows a goal comes close to it only."""
_LEAST_RATE = 0.25
"""Part of the `max_bitrate` that an encoder is told at least; below, its crf decides."""
_CRF_STEPS = 8
"""Steps of a scale that ends at 63 which halve the bits of a picture that is hard to encode: 6 to 9
with libvpx."""
_CRF_FIRST = 0.5
"""A share below which a lower goal alone is not tried."""
RULE = (MOST_TRIES, _MARGIN, _LEAST_RATE, _CRF_STEPS, _CRF_FIRST)
"""All that what is made depends on, for its content address."""


@dataclass(frozen=True, slots=True)
class Try:
    """How a rendition was encoded, and what came of it."""

    crf: float
    max_bitrate: int
    """Bits per second that its encoder was told of."""
    share: float
    """Of its bits for which its bitrate has room; 1 where it is kept."""


def tightened(tries: Sequence[Try], max_crf: int) -> tuple[float, int] | None:
    """The crf and the bitrate of the next try; None where the last one is kept, or was the last.

    `tries` has at least one, the first of which is as the rendition asks; `max_crf` is the end of
    the encoder's scale.
    """
    last = tries[-1]
    if last.share >= 1 or len(tries) == MOST_TRIES:
        return None
    least = math.ceil(tries[0].max_bitrate * _LEAST_RATE)
    rate = max(math.floor(last.max_bitrate * last.share * _MARGIN), least)
    if len(tries) == MOST_TRIES - 1:
        return max_crf, rate
    if len(tries) == 1 and last.share >= _CRF_FIRST:
        return last.crf, rate
    halvings = -math.log2(max(last.share * _MARGIN, 0.001))
    return min(math.ceil(last.crf + _CRF_STEPS * halvings), max_crf), rate


def tries_said(tries: int) -> list[str]:
    """ffmpeg's options that have a chunk's file say how often it was encoded, so that one that is
    found ready says it, too."""
    return [] if tries == 1 else ["-metadata", f"comment={tries} tries"]


def tries_of(tags: Mapping[str, str]) -> int:
    """What a chunk's file says of that."""
    said = tags.get("comment", "").removesuffix(" tries")
    return int(said) if said.isdecimal() else 1
