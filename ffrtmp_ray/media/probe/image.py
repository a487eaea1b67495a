"""Looks into still images that are to be laid over a picture. Runs in the child process."""

from __future__ import annotations

import re
from pathlib import Path

import av

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.inputs import DECODER_OPTIONS, name_of
from ffrtmp_ray.media.probe.open import Refusal
from ffrtmp_ray.media.probe.source import ImageFile

_HEADS = (
    ("png_pipe", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("jpeg_pipe", re.compile(rb"\xff\xd8\xff")),
    ("webp_pipe", re.compile(rb"RIFF....WEBP", re.DOTALL)),
)
"""Demuxers of ffmpeg, each of which reads the named file and nothing else, by how files begin."""


def look_at_image(path: str) -> ImageFile:
    """Decode it. Raises Refusal when it is no PNG, JPEG or WebP, or damaged."""
    name = name_of(path)
    with Path(path).open("rb") as file:
        head = file.read(12)
    demuxer = next((each for each, pattern in _HEADS if pattern.match(head)), None)
    if demuxer is None:
        raise Refusal(FailureKind.BAD_INPUT, f"{name} is no PNG, JPEG or WebP")
    limits = dict(DECODER_OPTIONS)
    try:
        with av.open(
            path, format=demuxer, options=limits, container_options={"protocol_whitelist": "file"}
        ) as container:
            stream = container.streams.video[0]
            stream.codec_context.options = limits
            frame = next(container.decode(stream), None)
    except av.FFmpegError as error:
        raise Refusal(FailureKind.BAD_INPUT, f"{name} is damaged: {error.strerror}") from error
    if frame is None:
        raise Refusal(FailureKind.BAD_INPUT, f"{name} is damaged: there is no picture in it")
    return ImageFile(demuxer=demuxer, width=frame.width, height=frame.height)
