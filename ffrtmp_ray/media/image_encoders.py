"""The encoders of still images. The only place that knows their options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ffrtmp_ray.media.spec.images import ImageFormat

LARGEST = 16383
"""Pixels a side: WebP's bound, the lowest of the three."""


@dataclass(frozen=True, slots=True)
class ImageEncoder:
    suffix: str
    options: tuple[str, ...]
    """ffmpeg's, of an output."""
    filters: tuple[str, ...]
    """That give it the colours that its viewers take for granted."""


IMAGE_ENCODERS: Mapping[ImageFormat, ImageEncoder] = {
    ImageFormat.JPEG: ImageEncoder(
        suffix="jpg",
        options=("-c:v", "mjpeg", "-q:v", "3"),
        # JFIF (ITU-T T.871) knows BT.601 of full range only
        filters=("scale=out_color_matrix=bt601:out_range=pc", "format=yuvj420p"),
    ),
    ImageFormat.WEBP: ImageEncoder(
        suffix="webp",
        options=("-c:v", "libwebp", "-quality", "80"),
        # VP8 (RFC 6386, 9.2) is BT.601 of limited range
        filters=("scale=out_color_matrix=bt601:out_range=tv", "format=yuv420p"),
    ),
    ImageFormat.PNG: ImageEncoder(suffix="png", options=("-c:v", "png"), filters=("format=rgb24",)),
}
