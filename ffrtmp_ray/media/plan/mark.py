"""Where an image lies over a picture, and how large it is there. Pure."""

from __future__ import annotations

from fractions import Fraction

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encode.work import Mark
from ffrtmp_ray.media.probe.source import ImageFile, VideoStream
from ffrtmp_ray.media.spec.base import exact
from ffrtmp_ray.media.spec.watermark import Position, Watermark


def mark_of(
    watermark: Watermark, path: str, sha256: str, image: ImageFile, video: VideoStream
) -> Mark:
    """In pixels of the source, which may not be square. Raises InvalidRequest when it would be
    larger than the picture."""
    across, down = video.shown_width, video.shown_height
    aspect = 1 / video.sample_aspect if video.sideways else video.sample_aspect
    width = _even(exact(watermark.scale) * across)
    height = _even(width * aspect * Fraction(image.height, image.width))
    margin_y = _even(exact(watermark.margin) * down, least=0)
    margin_x = _even(exact(watermark.margin) * down / aspect, least=0)
    if width + margin_x > across or height + margin_y > down:
        raise InvalidRequest(
            f"the watermark would be {width}x{height} on a picture of {across}x{down}, with a "
            f"margin of {margin_x}x{margin_y}",
            where="watermark.scale",
            remedy="give a smaller scale or margin",
        )
    x, y = _place(watermark.position, (across - width, down - height), (margin_x, margin_y))
    return Mark(
        path=path,
        demuxer=image.demuxer,
        sha256=sha256,
        width=width,
        height=height,
        x=x,
        y=y,
        opacity=watermark.opacity,
        start=None if watermark.start is None else exact(watermark.start),
        end=None if watermark.end is None else exact(watermark.end),
    )


def _place(position: Position, free: tuple[int, int], margin: tuple[int, int]) -> tuple[int, int]:
    if position is Position.CENTER:
        return _even(Fraction(free[0], 2), least=0), _even(Fraction(free[1], 2), least=0)
    vertical, horizontal = position.value.split("-")
    x = margin[0] if horizontal == "left" else free[0] - margin[0]
    y = margin[1] if vertical == "top" else free[1] - margin[1]
    return _even(Fraction(x), least=0), _even(Fraction(y), least=0)


def _even(number: Fraction, *, least: int = 2) -> int:
    """Chroma has half as many lines and columns."""
    return max(least, int(number) // 2 * 2)
