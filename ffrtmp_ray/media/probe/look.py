"""Makes a `Source` of a file: its first frames decoded, its packets counted.

Runs in the child process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream as AvVideoStream

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.bucket import densest
from ffrtmp_ray.media.inputs import MOST_PIXELS, name_of
from ffrtmp_ray.media.probe.color import color_of, is_rgb
from ffrtmp_ray.media.probe.light import dynamic_hdr, has_base_layer, light_of
from ffrtmp_ray.media.probe.open import (
    Refusal,
    decoded,
    opened,
    packets_of,
    picture_of,
    read_only,
    time_base_of,
)
from ffrtmp_ray.media.probe.order import LOOKED_AT, Order, order_of, untimed
from ffrtmp_ray.media.probe.scan import Scan, scan
from ffrtmp_ray.media.probe.source import Source, VideoStream
from ffrtmp_ray.media.probe.tags import chapters_of, tags_of
from ffrtmp_ray.media.probe.tracks import bitmaps_of, fonts_of, heard, sounds_of, texts_of

_FIRST_PACKETS = 600
"""A stream of which so many packets give no frame is taken for damaged: ten seconds of 60 fps,
the longest distance between keyframes that broadcasts use."""

_PROGRESSIVE = (0, 1)
"""AV_FIELD_UNKNOWN and AV_FIELD_PROGRESSIVE of libavcodec's AVFieldOrder."""

_SPLICED = ("mpegts", "mpeg")
"""Demuxers of libavformat for streams that may go on with another clock: recordings that were put
one after another, and broadcasts that change their source."""


def look(address: str) -> Source:
    """All that a plan must know of a file. Raises Refusal when it has no usable picture."""
    name = name_of(address)
    with opened(address) as container:
        stream = picture_of(container, name)
        read_only(stream, container)
        found = scan(container, stream)
    with opened(address) as container:
        stream = picture_of(container, name)
        if not found.frames and found.hidden:
            reason = f"the edit list of {name} leaves nothing of its video to be shown"
            raise Refusal(FailureKind.BAD_INPUT, reason)
        frames = _first_frames(container, stream, name)
        first = next(frames)
        found.begin_at(first.pts)
        order = _order(stream, found, first, frames)
        video = _video(stream, first, found, order)
        duration = video.end - video.first
        if container.duration is not None:
            # of MP4, libavformat counts what is decoded, which ends before what is shown
            duration = max(duration, Fraction(container.duration, av.time_base))
        form, size = container.format.name, container.size
        subtitles = len(container.streams.subtitles)
        texts, bitmaps, fonts = texts_of(container), bitmaps_of(container), fonts_of(container)
        sounds = sounds_of(container, address)
        tags, chapters = tags_of(container), chapters_of(container)
    return Source(
        container=form,
        spliced=found.restarts and form in _SPLICED,
        bytes=size,
        duration=duration,
        video=video,
        audio=tuple(sound for sound in sounds if heard(sound, video)),
        subtitles=subtitles,
        texts=texts,
        bitmaps=bitmaps,
        fonts=fonts,
        tags=tags,
        chapters=chapters,
    )


def _first_frames(
    container: InputContainer, stream: AvVideoStream, name: str
) -> Iterator[VideoFrame]:
    """From the first picture on, wherever it comes. Raises Refusal when none of many packets gives
    one."""
    tried = shown = 0
    for packet in packets_of(container, stream):
        tried += packet.size > 0
        # a stream may begin in the middle of something: what counts is the next frame
        for frame in decoded(packet) or ():
            yield frame
            shown += 1
        if not shown and tried >= _FIRST_PACKETS:
            break
    if shown:
        return
    if not tried:
        raise Refusal(FailureKind.BAD_INPUT, f"the video of {name} is empty")
    sized = stream.codec_context.width > 0
    what = "damaged" if sized else f"damaged, or larger than {MOST_PIXELS:,} pixels"
    raise Refusal(
        FailureKind.BAD_INPUT,
        f"the video of {name} is {what}: none of its first {tried} packets can be decoded",
    )


def _order(
    stream: AvVideoStream, found: Scan, first: VideoFrame, frames: Iterator[VideoFrame]
) -> Order | None:
    """Of frames whose packets do not say when they are shown; `frames` come after the first."""
    if not found.ticks:
        return untimed(stream.guessed_rate, time_base_of(stream))
    if not found.rises or not stream.codec_context.has_b_frames:
        return None
    return order_of(found, [first, *islice(frames, LOOKED_AT)])


def _video(
    stream: AvVideoStream, frame: VideoFrame, found: Scan, order: Order | None
) -> VideoStream:
    time_base = time_base_of(stream)
    ticks = found.ticks if order is None else order.ticks(found)
    first, last = ticks[0] * time_base, ticks[-1] * time_base
    known = found.countable if order is None else order.step is not None
    rate = stream.average_rate
    length = Fraction(found.last_duration or 0) * time_base
    if not length and found.frames > 1:
        length = (last - first) / (found.frames - 1)
    return VideoStream(
        index=stream.index,
        codec=stream.codec_context.codec.canonical_name,
        width=frame.width,
        height=frame.height,
        sample_aspect=_aspect(stream),
        rotation=frame.rotation,
        pixel_format=frame.format.name,
        bit_depth=max(component.bits for component in frame.format.components),
        rgb=is_rgb(frame),
        color=color_of(frame),
        light=light_of(frame),
        dynamic_hdr=dynamic_hdr(frame),
        base_layer=has_base_layer(frame),
        extradata=hashlib.sha256(stream.codec_context.extradata or b"").hexdigest(),
        time_base=time_base,
        frames=found.frames,
        headless=found.headless,
        countable=known,
        first=first,
        last=last,
        end=last + length,
        average_rate=Fraction(rate) if rate else None,
        interlaced=frame.interlaced_frame or stream.codec_context.field_order not in _PROGRESSIVE,
        keyframes=tuple(found.keyframes) if order is None else (),
        closed=found.closed and order is None,
        ticks=tuple(ticks) if known else (),
        regular=None if order is None else order.regular(time_base),
        peak_bitrate=densest(found.sizes, time_base),
        fingerprint=found.digest.hexdigest(),
    )


def _aspect(stream: AvVideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
    return Fraction(aspect) if aspect else Fraction(1)
