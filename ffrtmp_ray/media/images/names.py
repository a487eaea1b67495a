"""What the files of images are called, and WebVTT that says which part of a sheet is when. Pure."""

from __future__ import annotations

from fractions import Fraction

from ffrtmp_ray.media.image_encoders import IMAGE_ENCODERS
from ffrtmp_ray.media.images.work import SpriteWork
from ffrtmp_ray.media.spec.images import ImageFormat
from ffrtmp_ray.media.timing import nearest

POSTER = "poster"
THUMBNAILS = "thumbnail-%05d"
SHEETS = "sprite-%03d"
"""As printf and ffmpeg number them, from 0."""
WEBVTT = "sprite.vtt"


def file_name(pattern: str, kind: ImageFormat, number: int | None = None) -> str:
    stem = pattern if number is None else pattern % number
    return f"{stem}.{IMAGE_ENCODERS[kind].suffix}"


def webvtt(sprite: SpriteWork, kind: ImageFormat, length: Fraction) -> str:
    """One cue for each image: the sheet, and its place there as a media fragment
    (https://www.w3.org/TR/webvtt1/, https://www.w3.org/TR/media-frags/ 4.2.2)."""
    blocks = ["WEBVTT"]
    for number in range(sprite.number):
        sheet, place = divmod(number, sprite.columns * sprite.rows)
        row, column = divmod(place, sprite.columns)
        begin, end = number * sprite.every, min((number + 1) * sprite.every, length)
        x, y = column * sprite.width, row * sprite.height
        blocks.append(
            f"{_time(begin)} --> {_time(end)}\n"
            f"{file_name(SHEETS, kind, sheet)}#xywh={x},{y},{sprite.width},{sprite.height}"
        )
    return "\n\n".join(blocks) + "\n"


def _time(seconds: Fraction) -> str:
    whole, milliseconds = divmod(nearest(seconds * 1000), 1000)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{rest:02d}.{milliseconds:03d}"
