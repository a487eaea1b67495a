"""Is a finished package what its streams say? Reads it as players do. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree as ET

import m3u8

from ffrtmp_ray.media.package.cmaf import read_start, read_track
from ffrtmp_ray.media.package.streams import INIT, MANIFEST, MASTER, PLAYLIST, Package, Stream
from ffrtmp_ray.media.spec.packaging import HlsSegments, Packaging

_DASH = {"": "urn:mpeg:dash:schema:mpd:2011"}


def package_faults(root: Path, package: Package, packaging: Packaging) -> Iterator[str]:
    """All that is not right, each as a clause. Raises OSError or ValueError where something
    cannot be read at all."""
    for stream in package.playlists:
        yield from _segment_faults(root / stream.folder, stream)
    if packaging.hls is not HlsSegments.NONE:
        yield from _hls_faults(root, package)
    if packaging.dash:
        yield from _dash_faults(root, package)


def _segment_faults(folder: Path, stream: Stream) -> Iterator[str]:
    """Of the files: each there and whole, each beginning when it should."""
    track = read_track(folder / INIT) if stream.header else None
    for number, segment in enumerate(stream.segments):
        path = folder / segment.name
        if not path.is_file() or path.stat().st_size != segment.bytes:
            yield f"{stream.folder}/{segment.name} is not whole"
        elif track is not None:
            start = read_start(path.read_bytes(), track)
            # what is before a sound's zero is hidden by its edit list
            if start != segment.start and not (number == 0 and start < 0 == segment.start):
                yield f"{stream.folder}/{segment.name} begins at tick {start}, not {segment.start}"


def _hls_faults(root: Path, package: Package) -> Iterator[str]:
    master = m3u8.loads((root / MASTER).read_text("utf-8"))
    named = {each.uri for each in master.playlists} | {
        each.uri for each in master.media if each.uri
    }
    if named != {f"{stream.folder}/{PLAYLIST}" for stream in package.playlists}:
        yield f"{MASTER} does not name every stream"
    for stream in package.playlists:
        playlist = m3u8.loads((root / stream.folder / PLAYLIST).read_text("utf-8"))
        lengths = [each.duration or 0.0 for each in playlist.segments]
        wanted = [float(stream.length(segment)) for segment in stream.segments]
        if [each.uri for each in playlist.segments] != [each.name for each in stream.segments]:
            yield f"{stream.folder}/{PLAYLIST} does not name every segment"
        elif any(abs(a - b) > 1e-5 for a, b in zip(lengths, wanted, strict=True)):
            yield f"{stream.folder}/{PLAYLIST} has other lengths than the segments"
        elif playlist.target_duration is None or max(lengths) >= playlist.target_duration + 0.5:
            yield f"{stream.folder}/{PLAYLIST} has segments over its target duration"


def _dash_faults(root: Path, package: Package) -> Iterator[str]:
    document = ET.parse(root / MANIFEST)  # noqa: S314  # we have just written it
    found: dict[str, list[tuple[str, int, int]]] = {}
    for template in document.iterfind(".//SegmentTemplate", _DASH):
        name, media = template.attrib["initialization"], template.attrib["media"]
        number, spans = int(template.attrib["startNumber"]), found.setdefault(name, [])
        for run in template.iterfind("SegmentTimeline/S", _DASH):
            start, length = int(run.attrib["t"]), int(run.attrib["d"])
            for again in range(int(run.get("r", "0")) + 1):
                begin = start + again * length
                file = media.replace("$Number%05d$", f"{number + len(spans):05}")
                spans.append((file, begin, begin + length))
    wanted = {
        f"{stream.folder}/{INIT}": [
            (f"{stream.folder}/{each.name}", each.start, each.end) for each in stream.segments
        ]
        for stream in package.streams
    }
    if found != wanted:
        yield f"{MANIFEST} does not have the segments and times that there are"


def alignment_faults(package: Package) -> Iterator[str]:
    """Renditions of one frame rate whose segments do not begin together."""
    first: dict[Fraction, tuple[str, list[Fraction]]] = {}
    for picture in package.pictures:
        stream = picture.stream
        starts = [Fraction(each.start, stream.timescale) for each in stream.segments]
        name, expected = first.setdefault(picture.frame_rate, (picture.name, starts))
        if starts != expected:
            yield f"the segments of {picture.name} do not begin when those of {name} do"
