"""Which renditions of a ladder suit a source, and how large each is. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ffrtmp_ray.media.encode.size import fit
from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.spec import DynamicRange, Ladder, Rendition


@dataclass(frozen=True, slots=True)
class Chosen:
    outputs: tuple[OutputWork, ...]
    left_out: tuple[Rendition, ...]
    """Larger than the source: a picture is never enlarged."""


def choose(ladder: Ladder, video: VideoStream) -> Chosen:
    """Those that are no larger than the source; where all are larger, the smallest, at the
    source's size."""
    fitting = [rendition for rendition in ladder.renditions if _fits(rendition, video)]
    kept = fitting or [min(ladder.renditions, key=lambda each: each.height or 0)]
    return Chosen(
        outputs=tuple(_output(rendition, video) for rendition in kept),
        left_out=tuple(rendition for rendition in ladder.renditions if rendition not in kept),
    )


def _fits(rendition: Rendition, video: VideoStream) -> bool:
    return rendition.height is None or rendition.height <= video.shown_height


def _output(rendition: Rendition, video: VideoStream) -> OutputWork:
    width, height = fit(
        video.width, video.height, video.sample_aspect, video.rotation, rendition.height
    )
    sdr = rendition.dynamic_range is DynamicRange.SDR
    return OutputWork(
        rendition=rendition, width=width, height=height, tone_mapped=sdr and video.hdr
    )
