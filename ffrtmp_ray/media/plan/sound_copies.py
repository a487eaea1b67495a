"""Which of a source's sounds are copied and not encoded. Pure.

Whatever changes a sound on its way to an output must be asked about here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encode.work import SoundCopy
from ffrtmp_ray.media.plan.outputs import OutputKind
from ffrtmp_ray.media.probe.source import AudioStream
from ffrtmp_ray.media.spec import Audio, Container, Copying
from ffrtmp_ray.media.spec.packaging import HlsSegments

_MP4 = frozenset({"aac", "mp3", "ac3", "eac3", "dts", "opus", "flac", "alac"})
"""Codecs, by ffmpeg's names, that have a sample entry (https://mp4ra.org). MP2 has that of MP3, by
which it would be read."""
_WAV = frozenset(f"pcm_{form}" for form in ("u8", "s16le", "s24le", "s32le", "f32le"))
_BIG_ENDIAN = frozenset(f"pcm_{form}" for form in ("s16be", "s24be", "s32be"))
_MATROSKA = _MP4 | _WAV | _BIG_ENDIAN | {"mp2", "vorbis", "truehd", "mlp", "tta", "wavpack"}
"""Those that have a codec id (RFC 9559, and the codec specifications that it names)."""
_HOLDING: Mapping[Container, frozenset[str]] = {
    Container.MP4: _MP4,
    Container.MKV: _MATROSKA,
    Container.WEBM: frozenset({"opus", "vorbis"}),
    Container.M4A: frozenset({"aac", "alac"}),
    Container.MKA: _MATROSKA,
    Container.OPUS: frozenset({"opus"}),
    Container.OGG: frozenset({"opus", "vorbis", "flac"}),
    Container.MP3: frozenset({"mp3"}),
    Container.FLAC: frozenset({"flac"}),
    Container.WAV: _WAV,
}
_SEGMENTS = frozenset({"aac", "opus", "ac3", "eac3"})
"""Those that Apple's HLS authoring specification (2.3 to 2.5) and DASH-IF's guidelines share."""
_TRANSPORT_STREAMS = frozenset({"aac"})
_MOST_LATE = 1
"""Seconds after the picture's first frame at which a sound in segments begins, at most: players
look for segments by their place in the list."""
_AVERAGE = Fraction(11, 10)
"""By which an encoder may miss the bitrate that it was told."""


def copy_of(
    audio: Audio, stream: AudioStream, kind: OutputKind, start: Fraction
) -> SoundCopy | None:
    """How `stream` is copied, where it is; `start` is the time of the output's first frame.

    Raises InvalidRequest when it must be copied and cannot be.
    """
    if audio.copying is Copying.NEVER:
        return None
    reason = next(_hindrances(stream, kind, start), None)
    required = audio.copying is Copying.ALWAYS
    if required and reason is not None:
        raise InvalidRequest(
            f"the sound cannot be copied: {reason}",
            where="ladder.audio.copying",
            remedy=_remedy(stream, kind),
        )
    if reason is not None or not (required or _suits(audio, stream)):
        return None
    container = "mp4" if stream.codec in _MP4 else "mka"
    return SoundCopy(container=container, frame_samples=stream.frame_samples, required=required)


def _hindrances(stream: AudioStream, kind: OutputKind, start: Fraction) -> Iterator[str]:
    """Why `stream` cannot be in the output as it is, as clauses."""
    if stream.codec not in _holding(kind):
        yield f"it is {stream.codec}, which {_named(kind)} cannot hold"
    most = kind.most_channels
    if most is not None and stream.channels > most:
        yield f"it has {stream.channels} channels, and {_named(kind)} has {most} at most"
    if kind.packaging is not None and stream.start - start > _MOST_LATE:
        late = float(stream.start - start)
        yield f"it begins {late:.1f} s after the picture, and segments of it have to begin with it"


def _holding(kind: OutputKind) -> frozenset[str]:
    if kind.packaging is None:
        return _HOLDING[kind.container]
    in_ts = kind.packaging.hls is HlsSegments.TS
    return _TRANSPORT_STREAMS if in_ts else _SEGMENTS


def _named(kind: OutputKind) -> str:
    if kind.packaging is None:
        return f".{kind.container}"
    return "a transport stream of HLS" if kind.packaging.hls is HlsSegments.TS else "a package"


def _remedy(stream: AudioStream, kind: OutputKind) -> str:
    encoded = "set `copying` to allowed, which encodes what cannot be copied"
    if kind.packaging is not None:
        return encoded
    there = [f".{each}" for each, codecs in _HOLDING.items() if stream.codec in codecs]
    return f"make an {' or '.join(there)}, or {encoded}" if there else encoded


def _suits(audio: Audio, stream: AudioStream) -> bool:
    """Whether the source's sound already is what would be made of it."""
    return (
        stream.codec == audio.codec.value
        and audio.loudness is None
        and audio.channels in (None, stream.channels)
        and stream.bitrate is not None
        and stream.bitrate <= audio.bitrate * _AVERAGE
    )
