"""The MPEG-DASH manifest of a package (ISO/IEC 23009-1): static, with exact timelines. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import groupby
from xml.etree import ElementTree as ET

from ffrtmp_ray.media.languages import tag_of
from ffrtmp_ray.media.package.streams import (
    INIT,
    WHOLE_TEXT,
    Package,
    PictureStream,
    SoundStream,
    Stream,
    SubtitleStream,
)

_CHANNELS = "urn:mpeg:dash:23003:3:audio_channel_configuration:2011"
_MAIN = {"schemeIdUri": "urn:mpeg:dash:role:2011", "value": "main"}


def manifest(package: Package) -> str:
    """Renditions that a player may switch between, as their codec and their segments are alike,
    are one adaptation set; each sound is one."""
    longest = max(stream.target for stream in package.streams)
    root = ET.Element(
        "MPD",
        {
            "xmlns": "urn:mpeg:dash:schema:mpd:2011",
            "profiles": "urn:mpeg:dash:profile:isoff-live:2011",
            "type": "static",
            "mediaPresentationDuration": _duration(package.seconds),
            "minBufferTime": _duration(Fraction(longest)),
        },
    )
    period = ET.SubElement(root, "Period", {"id": "0", "start": "PT0S"})
    for _, alike in groupby(sorted(package.pictures, key=_kind), _kind):
        _add_pictures(period, alike)
    for sound in package.sounds:
        if sound.stream is not None:
            _add_sound(period, sound, sound.stream)
    for text in package.texts:
        _add_subtitles(period, text)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _kind(picture: PictureStream) -> tuple[str, list[int], int]:
    """What renditions must share to be switched between."""
    stream = picture.stream
    return stream.codecs[0][:4], [each.start for each in stream.segments], stream.timescale


def _add_pictures(period: ET.Element, pictures: Iterable[PictureStream]) -> None:
    whole = ET.SubElement(period, "AdaptationSet", _set_of("video"))
    for picture in pictures:
        attributes = {
            "id": picture.name,
            "codecs": picture.stream.codecs[0],
            "bandwidth": str(picture.stream.peak_rate),
            "width": str(picture.width),
            "height": str(picture.height),
            "frameRate": _rate(picture.frame_rate),
            "sar": "1:1",
        }
        _add_template(ET.SubElement(whole, "Representation", attributes), picture.stream)


def _add_sound(period: ET.Element, sound: SoundStream, stream: Stream) -> None:
    kind = {**_set_of("audio"), **_language(sound.language)}
    whole = ET.SubElement(period, "AdaptationSet", kind)
    if sound.default:
        ET.SubElement(whole, "Role", _MAIN)
    ET.SubElement(whole, "Label").text = sound.name
    attributes = {
        "id": stream.folder.replace("/", "-"),
        "codecs": sound.codec,
        "bandwidth": str(stream.peak_rate),
        "audioSamplingRate": str(sound.rate),
    }
    each = ET.SubElement(whole, "Representation", attributes)
    channels = {"schemeIdUri": _CHANNELS, "value": str(sound.channels)}
    ET.SubElement(each, "AudioChannelConfiguration", channels)
    _add_template(each, stream)


def _language(language: str | None) -> dict[str, str]:
    tag = None if language is None else tag_of(language)
    return {} if tag is None else {"lang": tag}


def _add_subtitles(period: ET.Element, text: SubtitleStream) -> None:
    """One file, which needs no timeline (DASH-IF IOP, 6.4.2)."""
    kind = {"contentType": "text", "mimeType": "text/vtt", **_language(text.language)}
    whole = ET.SubElement(period, "AdaptationSet", kind)
    role = "forced-subtitle" if text.forced else "subtitle"
    ET.SubElement(whole, "Role", {**_MAIN, "value": role})
    ET.SubElement(whole, "Label").text = text.name
    stream = text.stream
    attributes = {"id": stream.folder.replace("/", "-"), "bandwidth": str(stream.peak_rate)}
    each = ET.SubElement(whole, "Representation", attributes)
    ET.SubElement(each, "BaseURL").text = f"{stream.folder}/{WHOLE_TEXT}"


def _set_of(kind: str) -> dict[str, str]:
    return {
        "contentType": kind,
        "mimeType": f"{kind}/mp4",
        "segmentAlignment": "true",
        "startWithSAP": "1",
    }


def _add_template(representation: ET.Element, stream: Stream) -> None:
    attributes = {
        "timescale": str(stream.timescale),
        "initialization": f"{stream.folder}/{INIT}",
        "media": f"{stream.folder}/$Number%05d$.m4s",
        "startNumber": "1",
    }
    template = ET.SubElement(representation, "SegmentTemplate", attributes)
    timeline = ET.SubElement(template, "SegmentTimeline")
    time = stream.segments[0].start
    for length, run in groupby(stream.segments, lambda each: each.end - each.start):
        number = len(list(run))
        repeated = {"r": str(number - 1)} if number > 1 else {}
        ET.SubElement(timeline, "S", {"t": str(time), "d": str(length), **repeated})
        time += number * length


def _duration(seconds: Fraction) -> str:
    return f"PT{float(seconds):.6f}S"


def _rate(rate: Fraction) -> str:
    simple = rate.limit_denominator(1001)
    return f"{simple.numerator}/{simple.denominator}"
