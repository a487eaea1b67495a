"""How loud a sound is, and the filter that makes it as loud as is wanted. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ffrtmp_ray.media.spec.tracks import Loudness

MEASURE = "ebur128=peak=true:framelog=quiet"
"""The filter whose summary `measured` reads. It says what loudnorm's first pass says, in a tenth of
its CPU time (0.2 s for a minute of stereo), since it measures only."""

_GATE = -70.0
"""LUFS: what is quieter counts as silence, and so does what is shorter than a block of 0.4 s
(ITU-R BS.1770-5, annex 1)."""
_OVERSAMPLED = 192_000
"""Samples a second: four times those of a sound of 48 kHz."""
_HEADROOM = 0.3
"""dB that a limiter keeps below the true peak, which comes out a little higher at the sound's own
rate."""
_CLOSE = 0.3
"""LU from the target that nobody hears."""
_HIGHEST_GAIN = 30.0
"""dB: more would be made of little but noise."""
_SUMMARY = {
    "integrated": r"\n\s+I:\s+(\S+) LUFS",
    "range": r"\n\s+LRA:\s+(\S+) LU",
    "true_peak": r"\n\s+Peak:\s+(\S+) dBFS",
}


@dataclass(frozen=True, slots=True)
class MeasuredLoudness:
    integrated: float
    """LUFS."""
    range: float
    """LU."""
    true_peak: float
    """dBTP; minus infinity for digital silence."""

    @property
    def is_heard(self) -> bool:
        """Whether there is anything that has a loudness."""
        return self.integrated > _GATE


def measured(log: str) -> MeasuredLoudness | None:
    """From what ffmpeg printed with the filter `MEASURE`; None when it has no summary."""
    summary = log.rpartition("Summary:")[2]
    found = {name: re.search(pattern, summary) for name, pattern in _SUMMARY.items()}
    values = {name: float(match[1]) for name, match in found.items() if match}
    return MeasuredLoudness(**values) if len(values) == len(_SUMMARY) else None


def is_linear(wanted: Loudness, before: MeasuredLoudness) -> bool:
    """Whether one gain for the whole sound gets it there without exceeding the peak."""
    return before.true_peak + wanted.target - before.integrated <= wanted.true_peak


def level(wanted: Loudness, before: MeasuredLoudness) -> str:
    """The filter that applies that one gain to a sound that was so loud: what loudnorm does in its
    second pass when it is linear. loudnorm itself loses sounds of less than its 3 s that come to it
    in pieces (ffmpeg 9.0.2)."""
    return f"volume={wanted.target - before.integrated:.2f}dB"


def limited(wanted: Loudness, gain: float) -> str:
    """The filter that applies a gain, in dB, and takes away what would exceed the peak.

    Samples are made of at four times the rate, at which a true peak is measured, too (ITU-R
    BS.1770-5, annex 2); who puts it before others sets the rate again.
    """
    most = 10 ** ((wanted.true_peak - _HEADROOM) / 20)
    return (
        f"aresample={_OVERSAMPLED},volume={gain:.2f}dB,"
        f"alimiter=limit={most:.5f}:level=false:attack=5:release=50:latency=true"
    )


def next_gain(wanted: Loudness, gain: float, after: MeasuredLoudness) -> float | None:
    """The gain to try in place of one with which a limited sound was so loud: what is limited is
    quieter than its gain says. None where that is loud enough, or the gain as high as may be."""
    missing = wanted.target - after.integrated
    if abs(missing) <= _CLOSE:
        return None
    return None if gain >= _HIGHEST_GAIN else min(gain + missing, _HIGHEST_GAIN)
