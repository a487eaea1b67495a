"""The task that makes a job's still images. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

from ffrtmp_ray.core.model import Needs, NewTask, Requirement, Resources
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encode.size import fit
from ffrtmp_ray.media.encode.work import OutputWork, VideoWork
from ffrtmp_ray.media.image_encoders import LARGEST
from ffrtmp_ray.media.images.work import ImagesWork, PosterWork, SeriesWork, SpriteWork
from ffrtmp_ray.media.plan.cuts import frame_at, sought
from ffrtmp_ray.media.plan.encodes import part_of, whole_picture
from ffrtmp_ray.media.plan.payloads import ImagesPayload, InputFile
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.spec.base import exact
from ffrtmp_ray.media.spec.images import Images, Poster, Sprite, Thumbnails

IMAGES_NAME = "images"
MOST_IMAGES = 5000
"""Of one kind: each is a file, and is listed with the job."""
_SHARE = 0.1
"""The weight of images by that of an encode."""
_POSTER_EVERY = Fraction(10)
"""Seconds; between keyframes half as far apart there is always one for a poster."""
_ONE_CPU = Needs((Requirement(Resources(cpus=1)),))


def images_tasks(
    images: Images | None, video: VideoStream, file: InputFile, outputs: tuple[OutputWork, ...]
) -> Iterator[NewTask]:
    """One, where images are asked for. Raises InvalidRequest when they cannot be made."""
    if images is None:
        return
    payload = ImagesPayload(input=file, images=images_work(images, video, outputs))
    yield NewTask(
        name=IMAGES_NAME,
        kind="images",
        needs=_ONE_CPU,
        payload=payload.model_dump(mode="json"),
        weight=float(payload.images.length) * _SHARE,
    )


def images_work(images: Images, video: VideoStream, outputs: tuple[OutputWork, ...]) -> ImagesWork:
    """What is to be made of a picture. Raises InvalidRequest when it cannot be."""
    picture = whole_picture(video, outputs[:1])
    if video.trimmed:
        picture = picture.model_copy(update={"chunk": part_of(video, sought(video)[0], 0)})
    length = video.end - video.first
    return ImagesWork(
        video=picture,
        length=length,
        format=images.format,
        keyframes=_are_close(video, images),
        poster=_poster(images.poster, video, picture, length),
        thumbnails=None if images.thumbnails is None else _series(images.thumbnails, video, length),
        sprite=None if images.sprite is None else _sprite(images.sprite, video, length),
    )


def _are_close(video: VideoStream, images: Images) -> bool:
    """Whether with keyframes alone no image is late by more than half of the time to the next.
    Deinterlacing needs the frames beside the one that is seen."""
    asked = [exact(each.every) for each in (images.thumbnails, images.sprite) if each is not None]
    within = min([_POSTER_EVERY, *asked]) / 2 / video.time_base
    first, end = video.first / video.time_base, video.end / video.time_base
    inside = [Fraction(key) for key in video.keyframes if first <= key < end]
    near = bool(inside) and all(b - a <= within for a, b in pairwise((first, *inside, end)))
    return near and not video.interlaced


def _poster(
    poster: Poster | None, video: VideoStream, picture: VideoWork, length: Fraction
) -> PosterWork | None:
    if poster is None:
        return None
    seconds = float(length)
    time = length / 2 if poster.time is None else exact(poster.time)
    if time >= length:
        raise InvalidRequest(
            f"the poster is to be of {float(time):g} s, and the picture ends at {seconds:.6f} s",
            where="images.poster.time",
            remedy="choose an earlier time",
        )
    width, height = _size(video, poster.height)
    return PosterWork(
        video=picture.model_copy(update={"chunk": part_of(video, frame_at(video, time), 0)}),
        automatic=poster.time is None,
        width=width,
        height=height,
    )


def _series(asked: Thumbnails, video: VideoStream, length: Fraction) -> SeriesWork:
    width, height = _size(video, asked.height)
    number = _number(exact(asked.every), length, "images.thumbnails.every")
    return SeriesWork(every=exact(asked.every), number=number, width=width, height=height)


def _sprite(asked: Sprite, video: VideoStream, length: Fraction) -> SpriteWork:
    width, height = _size(video, asked.height)
    if width * asked.columns > LARGEST or height * asked.rows > LARGEST:
        raise InvalidRequest(
            f"a sheet of {asked.columns} times {asked.rows} images of {width}x{height} is larger "
            f"than {LARGEST} pixels",
            where="images.sprite",
            remedy="ask for fewer columns and rows, or a smaller height",
        )
    return SpriteWork(
        every=exact(asked.every),
        number=_number(exact(asked.every), length, "images.sprite.every"),
        width=width,
        height=height,
        columns=asked.columns,
        rows=asked.rows,
    )


def _number(every: Fraction, length: Fraction, where: str) -> int:
    number = max(1, math.ceil(length / every))
    if number > MOST_IMAGES:
        raise InvalidRequest(
            f"that makes {number} images, and {MOST_IMAGES} are the most",
            where=where,
            remedy=f"give at least {math.ceil(length / MOST_IMAGES)} seconds",
        )
    return number


def _size(video: VideoStream, height: int) -> tuple[int, int]:
    return fit(video.width, video.height, video.sample_aspect, video.rotation, height)
