"""Opens a media file for reading, itself alone, or says in a sentence why it cannot be read.

Runs in the child process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import TypeVar, cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard, Disposition, Stream
from av.subtitles.stream import SubtitleStream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.inputs import DECODER_OPTIONS, name_of, open_options

AnyStream = TypeVar("AnyStream", bound=Stream)

_THREADS = 2
"""Of one decoder: looking into files has no CPUs of its own, and each thread holds frames."""


class Refusal(Exception):  # never leaves the child: it is answered as a Failure value
    """The file cannot be used; the message is one sentence for a person."""

    def __init__(self, kind: FailureKind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


@contextmanager
def opened(address: str) -> Iterator[InputContainer]:
    """An open container. Raises Refusal when there is no media file at `address`."""
    try:
        container = av.open(
            address,
            options=dict(DECODER_OPTIONS),  # for the decoders that it tries the file with
            container_options=open_options(address),
            metadata_errors="replace",
        )
    except av.FFmpegError as error:
        raise Refusal(
            FailureKind.BAD_INPUT,
            f"{name_of(address)} is not a media file of a kind that is read here: {error.strerror}",
        ) from error
    with container:
        yield container


def picture_of(container: InputContainer, name: str) -> VideoStream:
    """The stream that is the picture: of several the largest. Raises Refusal when there is none."""
    found = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not found:
        raise Refusal(FailureKind.BAD_INPUT, f"{name} has no video stream, {_what(container)}")
    known = [stream for stream in found if stream.codec_context is not None]
    if not known:
        raise Refusal(
            FailureKind.UNSUPPORTED, f"the video of {name} is of a kind that cannot be decoded"
        )
    stream = max(known, key=lambda each: each.width * each.height)
    stream.codec_context.options = dict(DECODER_OPTIONS)
    stream.codec_context.thread_count = _THREADS
    return stream


def subtitles_of(container: InputContainer, index: int) -> SubtitleStream:
    """The stream of subtitles with that number. Raises Refusal when it is none, or cannot be
    decoded."""
    streams = container.streams
    stream = streams[index] if index < len(streams) else None
    if not isinstance(stream, SubtitleStream):
        raise Refusal(FailureKind.BAD_INPUT, f"stream {index} is not one of subtitles")
    if stream.codec_context is None:
        raise Refusal(FailureKind.UNSUPPORTED, f"the subtitles of stream {index} cannot be decoded")
    stream.codec_context.options = dict(DECODER_OPTIONS)
    return stream


def read_only(stream: Stream, container: InputContainer) -> None:
    """Have nothing read but `stream`: reading ends at the first packet that cannot be found, and
    that may be another stream's."""
    for other in container.streams:
        if other is not stream:
            other.discard = Discard.all


def packets_of(container: InputContainer, stream: AnyStream) -> Iterator[Packet[AnyStream]]:
    """All packets of `stream`, and an empty one at the end.

    In transport streams and FLV, streams may begin anywhere. Of those, PyAV looks beyond its list
    of wanted ones, may find them wanted there, and fails over them behind the last packet.
    """
    try:
        yield from cast("Iterator[Packet[AnyStream]]", container.demux(stream))
    except IndexError:
        return


def decoded(packet: Packet[VideoStream]) -> list[VideoFrame] | None:
    """The frames that a packet of video gives (often later ones than its own); None when it is
    damaged. Raises MemoryError."""
    try:
        frames = packet.decode()
    except MemoryError:  # libav's is one of the errors below, too
        raise
    except av.FFmpegError:
        return None
    return frames


def time_base_of(stream: Stream) -> Fraction:
    if stream.time_base is None:
        raise Refusal(FailureKind.BAD_INPUT, f"the {stream.type} stream has no time base")
    return stream.time_base


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def _what(container: InputContainer) -> str:
    if container.streams.audio:
        return "only sound"
    return "and no sound either"
