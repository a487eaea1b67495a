"""Which renditions of a ladder suit a source, and how large each is. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encode.size import fit
from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.encoders import encoder_for
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.spec import Codec, Ladder, Rendition, rendition_field


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


def check_hdr(ladder: Ladder, chosen: Chosen, video: VideoStream) -> None:
    """Raises InvalidRequest when HDR would be made 8-bit: without tone mapping it looks washed
    out on screens of either kind."""
    if not video.hdr:
        return
    kept = [output.rendition for output in chosen.outputs]
    deep = {codec for codec in Codec if 10 in encoder_for(codec, gpu=False).pixel_formats}
    for number, rendition in enumerate(ladder.renditions):
        if rendition in kept and rendition.codec not in deep:
            raise InvalidRequest(
                f"the source is HDR, which {rendition.codec} has too few bits for",
                where=rendition_field(number, "codec"),
                remedy=f"use one that keeps it HDR: {', '.join(sorted(deep))}",
            )


def _fits(rendition: Rendition, video: VideoStream) -> bool:
    return rendition.height is None or rendition.height <= video.shown_height


def _output(rendition: Rendition, video: VideoStream) -> OutputWork:
    width, height = fit(
        video.width, video.height, video.sample_aspect, video.rotation, rendition.height
    )
    return OutputWork(rendition=rendition, width=width, height=height)
