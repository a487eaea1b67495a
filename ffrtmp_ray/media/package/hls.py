"""HLS playlists (RFC 8216, and Apple's draft 2 of it for VIDEO-RANGE). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

from ffrtmp_ray.media.languages import tag_of
from ffrtmp_ray.media.package.streams import (
    INIT,
    PLAYLIST,
    Package,
    PictureStream,
    SoundStream,
    Stream,
    SubtitleStream,
)
from ffrtmp_ray.media.timing import nearest

_WITH_HEADERS, _WITHOUT = 7, 3
"""EXT-X-VERSION: with EXT-X-MAP, as Apple's tools write it; and with lengths that are no whole
numbers."""
_GROUP = "sound"
_TEXTS = "text"
_BREAKING = re.compile(r'["\r\n]')


def media_playlist(stream: Stream) -> str:
    """One stream's segments. Where they begin is rounded, to the microsecond, so that the errors of
    many do not add up."""
    lines = [*_head(stream), f"#EXT-X-TARGETDURATION:{stream.target}"]
    lines += ["#EXT-X-MEDIA-SEQUENCE:1", "#EXT-X-PLAYLIST-TYPE:VOD"]
    if stream.header:
        lines.append(f'#EXT-X-MAP:URI="{INIT}"')
    for segment in stream.segments:
        begin, end = (_micro(tick, stream) for tick in (segment.start, segment.end))
        lines += [f"#EXTINF:{_seconds(end - begin)},", segment.name]
    return _text([*lines, "#EXT-X-ENDLIST"])


def master_playlist(package: Package) -> str:
    """All renditions, the best first as they are given, and the sounds beside them."""
    lines = _head(package.pictures[0].stream)
    sounds = package.sounds
    grouped = len(sounds) > 1 or any(sound.stream is not None for sound in sounds)
    if grouped:
        lines += [_sound(sound) for sound in sounds]
    lines += [_subtitles(text) for text in package.texts]
    for picture in package.pictures:
        attributes = [*_variant(picture, sounds), *([f'AUDIO="{_GROUP}"'] if grouped else [])]
        attributes += [f'SUBTITLES="{_TEXTS}"'] if package.texts else []
        lines += [f"#EXT-X-STREAM-INF:{','.join(attributes)}", _playlist(picture.stream)]
    return _text(lines)


def _head(stream: Stream) -> list[str]:
    version = _WITH_HEADERS if stream.header else _WITHOUT
    return ["#EXTM3U", f"#EXT-X-VERSION:{version}", "#EXT-X-INDEPENDENT-SEGMENTS"]


def _sound(sound: SoundStream) -> str:
    attributes = ["TYPE=AUDIO", f'GROUP-ID="{_GROUP}"', f"NAME={_quoted(sound.name)}"]
    attributes += _language(sound.language)
    attributes += [
        f"DEFAULT={_yes(sound.default)}",
        "AUTOSELECT=YES",
        f'CHANNELS="{sound.channels}"',
    ]
    if sound.stream is not None:
        attributes.append(f'URI="{_playlist(sound.stream)}"')
    return f"#EXT-X-MEDIA:{','.join(attributes)}"


def _subtitles(text: SubtitleStream) -> str:
    attributes = ["TYPE=SUBTITLES", f'GROUP-ID="{_TEXTS}"', f"NAME={_quoted(text.name)}"]
    attributes += _language(text.language)
    attributes.append(f"DEFAULT={_yes(text.default)},AUTOSELECT=YES,FORCED={_yes(text.forced)}")
    attributes.append(f'URI="{_playlist(text.stream)}"')
    return f"#EXT-X-MEDIA:{','.join(attributes)}"


def _language(language: str | None) -> list[str]:
    tag = None if language is None else tag_of(language)
    return [] if tag is None else [f"LANGUAGE={_quoted(tag)}"]


def _yes(value: bool) -> str:
    return "YES" if value else "NO"


def _variant(picture: PictureStream, sounds: Sequence[SoundStream]) -> Iterator[str]:
    """Rates are those of the picture with the sound that needs most."""
    stream = picture.stream
    beside = [sound.stream for sound in sounds if sound.stream is not None]
    peak = stream.peak_rate + max((each.peak_rate for each in beside), default=0)
    average = stream.average_rate + max((each.average_rate for each in beside), default=0)
    codecs = dict.fromkeys((*stream.codecs, *(sound.codec for sound in sounds)))
    yield f"BANDWIDTH={peak}"
    yield f"AVERAGE-BANDWIDTH={average}"
    yield f'CODECS="{",".join(codecs)}"'
    yield f"RESOLUTION={picture.width}x{picture.height}"
    yield f"FRAME-RATE={float(picture.peak_frame_rate):.3f}"
    yield f"VIDEO-RANGE={picture.video_range}"


def _quoted(text: str) -> str:
    """Names come from the source: what would end the string or the line is left out (4.2)."""
    return f'"{_BREAKING.sub("", text)}"'


def _playlist(stream: Stream) -> str:
    return f"{stream.folder}/{PLAYLIST}"


def _micro(tick: int, stream: Stream) -> int:
    return nearest(Fraction(tick * 1_000_000, stream.timescale))


def _seconds(microseconds: int) -> str:
    whole, part = divmod(microseconds, 1_000_000)
    return f"{whole}.{part:06}"


def _text(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"
