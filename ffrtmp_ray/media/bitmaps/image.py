"""One screen of subtitles as it lies on a picture: red, green, blue and how opaque. Pure."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import av
import numpy as np
from av.video.reformatter import Interpolation
from numpy.typing import NDArray

from ffrtmp_ray.media.bitmaps.canvas import Placement, Size
from ffrtmp_ray.media.bitmaps.palette import Palette
from ffrtmp_ray.media.encode.work import Box

Pixels: TypeAlias = NDArray[np.uint8]
"""Rows of columns of red, green, blue and alpha, which is not multiplied into them."""

_ALPHA = 3


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A rectangle of a screen, as decoders give it."""

    x: int
    y: int
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class Image:
    """What is seen of a screen, in pixels of the picture; packed, since thousands are kept."""

    box: Box
    packed: bytes

    @property
    def pixels(self) -> Pixels:
        flat = np.frombuffer(zlib.decompress(self.packed), np.uint8)
        return flat.reshape(self.box.height, self.box.width, 4)


def bitmap_of(x: int, y: int, size: Size, indexes: bytes, palette: Palette) -> Bitmap:
    width, height = size
    return Bitmap(x, y, palette[np.frombuffer(indexes, np.uint8).reshape(height, width)])


def image_of(
    bitmaps: Iterable[Bitmap], screen: Size, placement: Placement, picture: Size
) -> Image | None:
    """All that is seen of them on a picture of that size; None where that is nothing."""
    cut = [each for bitmap in bitmaps if (each := _visible(bitmap, screen)) is not None]
    if not cut:
        return None
    x, y, pixels = _joined(cut)
    left = round(placement.left + x * placement.across)
    top = round(placement.top + y * placement.down)
    height, width, _ = pixels.shape
    scaled = _scaled(
        pixels,
        max(round(width * placement.across), 1),
        max(round(height * placement.down), 1),
    )
    return _on_picture(left, top, scaled, picture)


def united(boxes: Sequence[Box]) -> Box:
    """The smallest that holds them all, with even numbers: chroma has half as many pixels. It may
    be a pixel larger than a picture of that size."""
    left = min(box.x for box in boxes) // 2 * 2
    top = min(box.y for box in boxes) // 2 * 2
    right = max(box.x + box.width for box in boxes)
    bottom = max(box.y + box.height for box in boxes)
    return Box(x=left, y=top, width=_even(right - left), height=_even(bottom - top))


def within(image: Image | None, box: Box) -> Pixels:
    """The pixels of `box`, which holds all of the image."""
    pixels = np.zeros((box.height, box.width, 4), np.uint8)
    if image is not None:
        own = image.pixels
        pixels[..., :_ALPHA] = _usual_color(own)
        top, left = image.box.y - box.y, image.box.x - box.x
        pixels[top : top + image.box.height, left : left + image.box.width] = own
    return pixels


def _visible(bitmap: Bitmap, screen: Size) -> Bitmap | None:
    """What of it lies on the screen and is not transparent all over."""
    left, top = max(-bitmap.x, 0), max(-bitmap.y, 0)
    right, bottom = screen[0] - bitmap.x, screen[1] - bitmap.y
    pixels = bitmap.pixels[top : max(bottom, 0), left : max(right, 0)]
    rows = np.flatnonzero(pixels[..., _ALPHA].any(axis=1))
    columns = np.flatnonzero(pixels[..., _ALPHA].any(axis=0))
    if not rows.size:
        return None
    x, y = int(columns[0]), int(rows[0])
    seen = pixels[y : int(rows[-1]) + 1, x : int(columns[-1]) + 1]
    return Bitmap(bitmap.x + left + x, bitmap.y + top + y, seen)


def _joined(bitmaps: Sequence[Bitmap]) -> tuple[int, int, Pixels]:
    """All in one rectangle, the later ones over those before."""
    x, y = min(each.x for each in bitmaps), min(each.y for each in bitmaps)
    right = max(each.x + each.pixels.shape[1] for each in bitmaps)
    bottom = max(each.y + each.pixels.shape[0] for each in bitmaps)
    joined = np.zeros((bottom - y, right - x, 4), np.uint8)
    for each in bitmaps:
        height, width, _ = each.pixels.shape
        part = joined[each.y - y : each.y - y + height, each.x - x : each.x - x + width]
        there = each.pixels[..., _ALPHA] > 0
        part[there] = each.pixels[there]
    return x, y, joined


def _scaled(pixels: Pixels, width: int, height: int) -> Pixels:
    """Colours are scaled by how opaque they are: what is transparent has none."""
    if pixels.shape[:2] == (height, width):
        return _filled(pixels)
    alpha = pixels[..., _ALPHA].astype(np.uint32)
    planes = [_resized(pixels[..., color] * alpha, width, height) for color in range(_ALPHA)]
    opaque = _resized(alpha * 255, width, height)
    result = np.empty((height, width, 4), np.uint8)
    result[..., _ALPHA] = (opaque + 127) // 255
    for color, plane in enumerate(planes):
        result[..., color] = np.minimum((plane * 255 + opaque // 2) // np.maximum(opaque, 1), 255)
    return _filled(result)


def _resized(plane: NDArray[np.uint32], width: int, height: int) -> NDArray[np.uint32]:
    """By libswscale, as a grey picture of 16 bits; values up to 65025."""
    frame = av.VideoFrame.from_ndarray(plane.astype(np.uint16), format="gray16le")
    resized = frame.reformat(width, height, interpolation=Interpolation.BICUBIC)
    return np.minimum(resized.to_ndarray(), 65025).astype(np.uint32)


def _filled(pixels: Pixels) -> Pixels:
    """What is transparent gets the colour that is usual: chroma, of half the size, would mix it
    into the edges of what is not."""
    filled = pixels.copy()
    filled[pixels[..., _ALPHA] == 0, :_ALPHA] = _usual_color(pixels)
    return filled


def _usual_color(pixels: Pixels) -> Pixels:
    """The mean of the colours, by how opaque they are."""
    alpha = pixels[..., _ALPHA].astype(np.float64)
    total = max(alpha.sum(), 1.0)
    mean = [(pixels[..., color] * alpha).sum() / total for color in range(_ALPHA)]
    return np.array(mean).round().astype(np.uint8)


def _on_picture(left: int, top: int, pixels: Pixels, picture: Size) -> Image | None:
    seen = _visible(Bitmap(left, top, pixels), picture)
    if seen is None:
        return None
    height, width, _ = seen.pixels.shape
    packed = zlib.compress(seen.pixels.tobytes(), 1)
    return Image(Box(x=seen.x, y=seen.y, width=width, height=height), packed)


def _even(length: int) -> int:
    return math.ceil(length / 2) * 2
