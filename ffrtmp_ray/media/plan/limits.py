"""What no encoder can make of a source, so that it is refused before work begins. Pure."""

from __future__ import annotations

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.encoders import encoder_for
from ffrtmp_ray.media.plan.renditions import Chosen
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.spec import Codec, Ladder, rendition_field

LONGEST_SECONDS = 7 * 86400
"""Of a picture; a recording of a week."""


def check_limits(ladder: Ladder, chosen: Chosen, video: VideoStream) -> None:
    """Raises InvalidRequest when the source is too long, or its colours or a rendition of it cannot
    be encoded."""
    _check_length(video)
    _check_colors(video)
    for output in chosen.outputs:
        number = ladder.renditions.index(output.rendition)
        if video.hdr and not output.tone_mapped:
            _check_depth(output.rendition.codec, rendition_field(number, "codec"))
        _check_size(output, rendition_field(number, "height"))


def _check_length(video: VideoStream) -> None:
    """A broken time stamp makes a second of pictures last for years."""
    length = video.end - video.first
    if length > LONGEST_SECONDS:
        raise InvalidRequest(
            f"by the times of its frames the picture lasts {float(length / 86400):,.1f} days, "
            f"and {LONGEST_SECONDS // 86400} are the most",
            where="input",
            remedy="correct its times, or take a part of it",
        )


def _check_colors(video: VideoStream) -> None:
    """What `probe.color` knows by number only can be neither scaled nor stated."""
    if not video.base_layer:
        raise InvalidRequest(
            "the source is Dolby Vision of profile 5, whose colours no decoder here knows",
            where="input",
            remedy="use a source of profile 8, or convert it to HDR10 first",
        )
    for what in ("primaries", "transfer", "matrix"):
        value = getattr(video.color, what)
        if value is not None and value.isdigit():
            raise InvalidRequest(
                f"the source's colours are of a kind that is not handled: "
                f"{what} {value} of ITU-T H.273",
                where="input",
                remedy="convert it to BT.709 or BT.2020 first",
            )


def _check_depth(codec: Codec, where: str) -> None:
    """HDR made 8-bit without tone mapping looks washed out on screens of either kind."""
    deep = {each for each in Codec if 10 in encoder_for(each, gpu=False).pixel_formats}
    if codec not in deep:
        raise InvalidRequest(
            f"the source is HDR, which {codec} has too few bits for",
            where=where,
            remedy=f"use one that keeps it HDR: {', '.join(sorted(deep))}; "
            'or tone-map it: `"dynamic_range": "sdr"`',
        )


def _check_size(output: OutputWork, where: str) -> None:
    encoder = encoder_for(output.rendition.codec, gpu=False)
    if not encoder.fits(output.width, output.height):
        smallest, largest = encoder.smallest, encoder.largest
        raise InvalidRequest(
            f"the picture would be {output.width}x{output.height}, and {encoder.codec} is made "
            f"from {smallest[0]}x{smallest[1]} to {largest[0]}x{largest[1]}",
            where=where,
            remedy="choose another height or codec",
        )
