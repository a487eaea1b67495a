"""Which files a ladder makes, in which containers. Pure; knows no source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.audio_encoders import AUDIO_ENCODERS
from ffrtmp_ray.media.spec import (
    Audio,
    AudioCodec,
    Codec,
    Container,
    Copying,
    Ladder,
    rendition_field,
)
from ffrtmp_ray.media.spec.images import Images
from ffrtmp_ray.media.spec.packaging import HlsSegments, Packaging

_VIDEO: Mapping[Container, frozenset[Codec]] = {
    Container.MP4: frozenset(Codec),
    Container.MKV: frozenset(Codec),
    Container.WEBM: frozenset({Codec.VP9, Codec.AV1}),
}
"""WebM: https://www.webmproject.org/docs/container/; MP4 has a registered sample entry for each
codec (https://mp4ra.org), Matroska a codec id (RFC 9559)."""
_AUDIO: Mapping[Container, tuple[AudioCodec, ...]] = {
    Container.MP4: (AudioCodec.AAC, AudioCodec.OPUS, AudioCodec.MP3, AudioCodec.FLAC),
    Container.MKV: tuple(AudioCodec),
    Container.WEBM: (AudioCodec.OPUS,),
    Container.M4A: (AudioCodec.AAC,),
    Container.MKA: tuple(AudioCodec),
    Container.OPUS: (AudioCodec.OPUS,),
    Container.OGG: (AudioCodec.OPUS, AudioCodec.FLAC),
    Container.MP3: (AudioCodec.MP3,),
    Container.FLAC: (AudioCodec.FLAC,),
    Container.WAV: (AudioCodec.PCM,),
}
"""What players expect in each; the first is made where another is asked for."""
_SEGMENTS = (AudioCodec.AAC, AudioCodec.OPUS)
"""What players of HLS and DASH expect in fragmented MP4."""

_IN_TRANSPORT_STREAMS = 6
"""Channels: AAC lies in ADTS there, whose eight are a layout that nothing is made in (ISO/IEC
14496-3, 1.A.3.2.1 and table 1.19)."""

_NO_FOLDERS = frozenset({"m3u8", "mpd", *(each.value for each in Container)})
"""Suffixes of what a player opens: whoever writes one means a file."""


@dataclass(frozen=True, slots=True)
class OutputKind:
    """What `JobSpec.output` names."""

    folder: bool
    """Several renditions or a package; otherwise one file."""
    container: Container
    """Of each file; MP4 for segments."""
    packaging: Packaging | None = None

    @property
    def most_channels(self) -> int | None:
        """That a sound may have because of where it lies, whatever its codec."""
        in_ts = self.packaging is not None and self.packaging.hls is HlsSegments.TS
        return _IN_TRANSPORT_STREAMS if in_ts else None


def output_kind(output: str, ladder: Ladder, images: Images | None) -> OutputKind:
    """Raises InvalidRequest where the output's name and what is asked for contradict each other."""
    suffix = PurePosixPath(output).suffix.lower().removeprefix(".")
    if ladder.packaging is not None:
        return _packaged(output, suffix, ladder.packaging)
    holding = _VIDEO if ladder.renditions else _AUDIO
    named = Container(suffix) if suffix in holding else None
    if ladder.container not in (None, *holding):
        raise InvalidRequest(
            f"{ladder.container} holds sound alone, and the ladder has renditions",
            where="ladder.container",
            remedy=f"use {' or '.join(holding)}",
        )
    number = len(ladder.renditions)
    texts = number > 0 and ladder.subtitles is not None and ladder.subtitles.webvtt
    if number > 1 or images is not None or texts:
        if named is not None:
            beside = "images" if images is not None else "WebVTT beside"
            what = (
                f"a ladder of {number} renditions makes" if number > 1 else f"with {beside} it is"
            )
            raise InvalidRequest(
                f"{what} a folder of files, and {output} names one file",
                where="output",
                remedy=f"leave out the .{suffix}; `ladder.container` says what the files are",
            )
        return OutputKind(folder=True, container=ladder.container or Container.MP4)
    if named is None:
        raise InvalidRequest(
            f"{output} does not say what file to make",
            where="output",
            remedy=f"end it with {_any_of(holding)}",
        )
    if ladder.container not in (None, named):
        raise InvalidRequest(
            f"the ladder says {ladder.container}, and {output} says {named}",
            where="output",
            remedy=f"end it with .{ladder.container}, or leave out `ladder.container`",
        )
    return OutputKind(folder=False, container=named)


def _any_of(containers: Iterable[Container]) -> str:
    *others, last = (f".{each}" for each in containers)
    return f"{', '.join(others)} or {last}"


def _packaged(output: str, suffix: str, packaging: Packaging) -> OutputKind:
    if suffix in _NO_FOLDERS:
        raise InvalidRequest(
            f"a packaged ladder makes a folder, and {output} names one file",
            where="output",
            remedy=f"leave out the .{suffix}: the manifests in the folder have names of their own",
        )
    return OutputKind(folder=True, container=Container.MP4, packaging=packaging)


def check_codecs(kind: OutputKind, ladder: Ladder) -> None:
    """Raises InvalidRequest when a rendition, or the sound, cannot be in such an output."""
    if kind.packaging is not None and kind.packaging.hls is HlsSegments.TS:
        _check_transport_streams(ladder)
    _check_sound(kind, ladder)
    container = kind.container
    for number, rendition in enumerate(ladder.renditions):
        if rendition.codec not in _VIDEO[container]:
            fitting = " or ".join(sorted(_VIDEO[container]))
            raise InvalidRequest(
                f"{container} cannot hold {rendition.codec}",
                where=rendition_field(number, "codec"),
                remedy=f"use {fitting}, or make an .mp4 or .mkv",
            )


def _check_transport_streams(ladder: Ladder) -> None:
    """HLS has HEVC, AV1 and Opus in fragmented MP4 only (Apple's HLS authoring specification, 1.5
    and 2.3)."""
    for number, rendition in enumerate(ladder.renditions):
        if rendition.codec is not Codec.H264:
            raise InvalidRequest(
                f"transport streams of HLS cannot hold {rendition.codec}",
                where=rendition_field(number, "codec"),
                remedy="set `packaging.hls` to fmp4, or use h264",
            )
    audio = ladder.audio
    if audio is None or audio.copying is Copying.ALWAYS:
        return
    if audio.codec is not AudioCodec.AAC:
        raise InvalidRequest(
            f"transport streams of HLS cannot hold {audio.codec}",
            where="ladder.audio.codec",
            remedy="set `packaging.hls` to fmp4, or use aac",
        )


def _check_sound(kind: OutputKind, ladder: Ladder) -> None:
    audio = ladder.audio
    if audio is None or audio.copying is Copying.ALWAYS:
        return
    if kind.packaging is not None and audio.codec not in _SEGMENTS:
        raise InvalidRequest(
            f"segments of HLS and DASH cannot hold {audio.codec}",
            where="ladder.audio.codec",
            remedy=f"use {' or '.join(_SEGMENTS)}",
        )
    made = audio_for(kind, audio).codec
    most, where, remedy = len(AUDIO_ENCODERS[made].layouts), "", "use another codec"
    if kind.most_channels is not None:
        most, where = kind.most_channels, " in transport streams"
        remedy = "set `packaging.hls` to fmp4"
    if audio.channels is not None and audio.channels > most:
        raise InvalidRequest(
            f"{made} has {most} channels at most{where}, and {audio.channels} are wanted",
            where="ladder.audio.channels",
            remedy=f"give {most} or fewer, or {remedy}",
        )


def audio_for(kind: OutputKind, audio: Audio, source_channels: int = 0) -> Audio:
    """The sound as such an output can hold it, made of one of so many channels."""
    holding = _SEGMENTS if kind.packaging is not None else _AUDIO[kind.container]
    if audio.codec not in holding:
        audio = audio.model_copy(update={"codec": holding[0]})
    most = kind.most_channels
    if most is not None and audio.channels is None and source_channels > most:
        audio = audio.model_copy(update={"channels": most})
    return audio
