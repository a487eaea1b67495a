"""What is told of a file's sounds: form, start, language, title. Runs in the child process."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from typing import Any, Literal

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream as AvAudioStream
from av.container import InputContainer
from av.stream import Disposition, Stream

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.encode.work import AttachedFont
from ffrtmp_ray.media.inputs import name_of
from ffrtmp_ray.media.probe.open import Refusal, opened, packets_of
from ffrtmp_ray.media.probe.source import (
    AudioStream,
    BitmapStream,
    SoundSource,
    TextStream,
    VideoStream,
)
from ffrtmp_ray.media.probe.tags import chapters_of, readable, tags_of

_FIRST_PACKETS = 600
"""A sound of which so many packets give nothing is taken for damaged."""
_MOST_SOUNDS = 16
"""Each is looked for in a reading of its own; a file can have a thousand."""
_LONGEST_LEAD = 86400
"""Seconds by which sound may begin before the picture, where nothing says when it ends."""
_LONGEST_TITLE = 200
"""Characters: it travels with the job, and becomes part of a command line."""
_LONGEST_LANGUAGE = 35
"""Characters (RFC 5646, 4.4.1)."""
_DISPOSITIONS = (
    "default", "dub", "original", "comment", "forced", "hearing_impaired", "visual_impaired",
    "captions", "descriptions",
)  # fmt: skip
"""Those of libavformat that say for whom a track is, and that MP4 or Matroska can keep."""


_EVEN = frozenset({"aac", "mp3", "mp2", "ac3", "eac3", "opus"})
"""Codecs of sound whose packets all last as long."""
_TEXTS = frozenset({"subrip", "srt", "text", "ass", "ssa", "webvtt", "mov_text"})
"""Codecs of subtitles that ffmpeg decodes to text, by its names."""
_BITMAPS = frozenset({"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle", "xsub"})
"""Codecs of those that it decodes to pictures."""
_MOST_SUBTITLES = 32
"""Of each kind."""
_FONTS = frozenset(
    {
        *("font/ttf", "font/otf", "font/sfnt", "font/collection", "application/font-sfnt"),
        *("application/x-truetype-font", "application/x-font-ttf", "application/x-font-otf"),
        "application/vnd.ms-opentype",
    }
)
"""Media types of attached fonts: those of RFC 8081, and what Matroska files had before."""
_MOST_FONTS = 100


def listen(address: str) -> SoundSource:
    """All that a plan must know of a file whose sound alone is wanted. Raises Refusal when there is
    none that can be decoded."""
    with opened(address) as container:
        sounds = sounds_of(container, address)
        if not sounds:
            raise Refusal(
                FailureKind.BAD_INPUT, f"{name_of(address)} has no sound that can be decoded"
            )
        return SoundSource(
            container=container.format.name,
            bytes=container.size,
            duration=Fraction(container.duration or 0, av.time_base),
            audio=sounds,
            tags=tags_of(container),
            chapters=chapters_of(container),
        )


def sounds_of(container: InputContainer, address: str) -> tuple[AudioStream, ...]:
    """Of the first sounds of the file at `address`, open as `container`, those of which something
    can be decoded."""
    indexes = [each.index for each in container.streams.audio if each.codec_context is not None]
    return tuple(
        sound for index in indexes[:_MOST_SOUNDS] if (sound := _sound(address, index)) is not None
    )


def texts_of(container: InputContainer) -> tuple[TextStream, ...]:
    """The first subtitles that are text."""
    texts = [each for each in _subtitles(container) if each["codec"] in _TEXTS]
    return tuple(TextStream(**each) for each in texts[:_MOST_SUBTITLES])


def bitmaps_of(container: InputContainer) -> tuple[BitmapStream, ...]:
    """The first subtitles that are pictures."""
    bitmaps = [each for each in _subtitles(container) if each["codec"] in _BITMAPS]
    return tuple(BitmapStream(**each) for each in bitmaps[:_MOST_SUBTITLES])


def fonts_of(container: InputContainer) -> tuple[AttachedFont, ...]:
    """The first fonts that are attached to it."""
    fonts = (
        AttachedFont(number=number, media_type=each.mimetype)
        for number, each in enumerate(container.streams.attachments)
        if each.mimetype in _FONTS
    )
    return tuple(islice(fonts, _MOST_FONTS))


def _subtitles(container: InputContainer) -> list[dict[str, Any]]:
    """The fields of those that can be decoded."""
    return [
        {"index": each.index, "codec": each.codec_context.codec.canonical_name, **labels_of(each)}
        for each in container.streams.subtitles
        if each.codec_context is not None
    ]


def heard(sound: AudioStream, video: VideoStream) -> bool:
    """Whether a sound is heard while the picture is shown. With others ffmpeg has been seen to
    crash, or to write silence for months."""
    return video.first - sound.start <= _LONGEST_LEAD and sound.is_heard_with(video)


def labels_of(stream: Stream) -> dict[str, Any]:
    """The fields of `TrackLabels`."""
    title = stream.metadata.get("title") or stream.metadata.get("name", "")  # the word in MP4
    return {
        "language": readable(stream.language or "", _LONGEST_LANGUAGE).strip() or None,
        "title": readable(title, _LONGEST_TITLE).strip() or None,
        "dispositions": tuple(
            name for name in _DISPOSITIONS if stream.disposition & Disposition[name]
        ),
    }


def _sound(address: str, index: int) -> AudioStream | None:
    """An audio stream with the time of its first sample; None when nothing of it decodes."""
    with opened(address) as container:
        stream = container.streams[index]
        assert isinstance(stream, AvAudioStream)  # noqa: S101  # its index came from streams.audio
        frame = _first_frame(container, stream)
        if frame is None or frame.pts is None or frame.time_base is None:
            return None
        duration = stream.duration
        return AudioStream(
            index=index,
            codec=stream.codec_context.codec.canonical_name,
            channels=stream.codec_context.layout.nb_channels,
            sample_rate=stream.codec_context.sample_rate,
            start=frame.pts * frame.time_base,
            duration=None
            if duration is None or stream.time_base is None
            else duration * stream.time_base,
            bits=_bits(stream, frame),
            frame_samples=_frame_samples(stream),
            bitrate=stream.codec_context.bit_rate or None,
            **labels_of(stream),
        )


def _bits(stream: AvAudioStream, frame: AudioFrame) -> Literal[16, 24]:
    exact = stream.codec_context.codec.canonical_name.startswith("pcm_f")
    return 24 if exact or frame.format.packed.name in ("s32", "s64") else 16


def _frame_samples(stream: AvAudioStream) -> int:
    codec = stream.codec_context.codec.canonical_name
    return stream.codec_context.frame_size if codec in _EVEN else 0


def _first_frame(container: InputContainer, stream: AvAudioStream) -> AudioFrame | None:
    """That has a time."""
    for tried, packet in enumerate(packets_of(container, stream)):
        if tried >= _FIRST_PACKETS:
            break
        try:
            frames = packet.decode()
        except av.FFmpegError:
            continue
        for frame in frames:
            if frame.pts is not None and frame.time_base is not None:
                return frame
    return None
