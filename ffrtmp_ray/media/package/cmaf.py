"""A CMAF track (ISO/IEC 23000-19): its header, its fragments, their times. Changes no media.

Times are in ticks of the track, as they are presented: after its edit list.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from ffrtmp_ray.media.package.boxes import HEADER, box, boxes, find, header
from ffrtmp_ray.media.package.entry import SampleEntry, read_entry

_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_SAMPLE_FIELDS = (0x100, 0x200, 0x400, 0x800)
"""Flags of `trun` (ISO/IEC 14496-12, 8.8.8): duration, size, flags, composition offset."""
_SYNC = 0x02000000
"""Flags of a sample that depends on no other (8.8.3.1)."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A `moof` and its `mdat`."""

    offset: int
    """Of its first byte in the file."""
    size: int
    """Bytes of both boxes."""
    data: int
    """Where its media begins in the file."""
    decoded: int
    """`tfdt`: when its first sample is decoded."""
    start: int
    """When its first sample is presented."""
    durations: tuple[int, ...]
    sizes: tuple[int, ...]
    """Of its samples, in ticks and bytes."""


@dataclass(frozen=True, slots=True)
class Edit:
    """An entry of an edit list."""

    length: Fraction
    """Seconds."""
    media_time: int
    """Where in the media it begins; -1: it shows nothing."""


@dataclass(frozen=True, slots=True)
class Track:
    init: bytes
    """Its header: `ftyp` and `moov`."""
    timescale: int
    duration: int
    """By its header, with what the edit list hides; 0 where it is fragmented."""
    entry: SampleEntry
    edits: tuple[Edit, ...]
    fragments: tuple[Fragment, ...]

    @property
    def media_time(self) -> int:
        """What its edit list takes from all times. Raises ValueError where it does more than that:
        players do not know such lists."""
        return _media_time(self.edits)

    @property
    def end(self) -> Fraction:
        """Seconds after its time zero, where it is not fragmented."""
        if len(self.edits) > 1:
            return sum((edit.length for edit in self.edits), Fraction(0))
        return Fraction(self.duration - self.media_time, self.timescale)


def read_track(path: Path) -> Track:
    """The one track of a file; without fragments where it is an ordinary MP4. Raises ValueError
    where it is no MP4, OSError where it cannot be read."""
    with path.open("rb") as file:
        head = list(_scan(file))
        init = b"".join(content for kind, _, content in head if kind in ("ftyp", "moov"))
        moov = find(init, "moov")
        if moov is None:
            raise ValueError(f"{path.name} has no header")
        defaults, edits = _defaults(moov), _edits(moov)
        fragments = []
        for (kind, offset, content), (after, _, media) in pairwise(head):
            if kind == "moof" and after == "mdat":
                size = len(content) + int.from_bytes(media, "big")
                time = _media_time(edits)
                fragments.append(_fragment(content, offset, size, time, defaults))
    timescale, duration = _clock(moov)
    return Track(init, timescale, duration, read_entry(moov), edits, tuple(fragments))


def runs(track: Track, starts: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Offset and size of each run of whole fragments that begins at one of `starts`, up to the
    next. Raises ValueError where no fragment begins there."""
    begins = {fragment.start: fragment.offset for fragment in track.fragments}
    missing = [start for start in starts if start not in begins]
    if missing:
        time = missing[0] / track.timescale
        raise ValueError(f"no keyframe is at {time:.6f} s, where a segment begins")
    last = track.fragments[-1]
    bounds = (*(begins[start] for start in starts), last.offset + last.size)
    return tuple((begin, end - begin) for begin, end in pairwise(bounds))


def read_start(segment: bytes, track: Track) -> int:
    """When the first sample of a segment of `track` is presented. Raises ValueError."""
    moof = find(segment, "moof")
    if moof is None:
        raise ValueError("there is no fragment in it")
    moov = find(track.init, "moov") or b""
    whole = box("moof", moof)
    return _fragment(whole, 0, len(segment), track.media_time, _defaults(moov)).start


def sound_segment(
    track_id: int, number: int, decoded: int, samples: Sequence[tuple[int, int]]
) -> bytes:
    """What comes before the media of a segment of sound: `moof`, and the header of `mdat`.

    `decoded` is when its first sample is decoded; `samples` are their durations and sizes.
    """
    equal = len({duration for duration, _ in samples}) == 1
    fields = [size for _, size in samples] if equal else [n for each in samples for n in each]
    common = struct.pack(">I", samples[0][0]) if equal else b""
    tfhd_flags, trun_flags = 0x020020 | (0x8 if equal else 0), 0x201 | (0 if equal else 0x100)
    size = 8 + 16 + 8 + 20 + len(common) + 20 + 20 + 4 * len(fields)
    moof = box(
        "moof",
        box("mfhd", struct.pack(">II", 0, number)),
        box(
            "traf",
            box("tfhd", struct.pack(">II", tfhd_flags, track_id), common, struct.pack(">I", _SYNC)),
            box("tfdt", struct.pack(">IQ", 0x01000000, decoded)),
            box(
                "trun",
                struct.pack(">III", trun_flags, len(samples), size + HEADER),
                struct.pack(f">{len(fields)}I", *fields),
            ),
        ),
    )
    return moof + struct.pack(">I4s", HEADER + sum(size for _, size in samples), b"mdat")


def track_id(track: Track) -> int:
    """Raises ValueError where the header has none."""
    tkhd = find(track.init, "moov", "trak", "tkhd")
    if tkhd is None:
        raise ValueError("the header has no track")
    (number,) = struct.unpack_from(">I", tkhd, 20 if tkhd[0] else 12)
    return int(number)


def _scan(file: BinaryIO) -> Iterator[tuple[str, int, bytes]]:
    """Kind, offset and whole bytes of each box; of `mdat`, the bytes are its size."""
    offset = 0
    while begin := file.read(2 * HEADER):
        kind, size, _ = header(begin)
        if kind == "mdat":
            yield kind, offset, size.to_bytes(8, "big")
        else:
            yield kind, offset, (begin + file.read(max(0, size - len(begin))))[:size]
        offset += size
        file.seek(offset)


def _clock(moov: bytes) -> tuple[int, int]:
    """Timescale and duration."""
    mdhd = find(moov, "trak", "mdia", "mdhd")
    if mdhd is None:
        raise ValueError("the header has no timescale")
    timescale, duration = struct.unpack_from(
        ">IQ" if mdhd[0] else ">II", mdhd, 20 if mdhd[0] else 12
    )
    return timescale, duration


def _media_time(edits: Sequence[Edit]) -> int:
    """Of the one entry; 0 where there is none. Raises ValueError for more, or for one that is
    empty, which players know no more than several."""
    if not edits:
        return 0
    if len(edits) > 1 or edits[0].media_time < 0:
        raise ValueError("the edit list is not of one entry that is shown")
    return edits[0].media_time


def _edits(moov: bytes) -> tuple[Edit, ...]:
    """The entries of the edit list (8.6.6); none where there is no list."""
    elst, mvhd = find(moov, "trak", "edts", "elst"), find(moov, "mvhd")
    if elst is None or mvhd is None:
        return ()
    (scale,) = struct.unpack_from(">I", mvhd, 20 if mvhd[0] else 12)
    (entries,) = struct.unpack_from(">I", elst, 4)
    form = ">Qqi" if elst[0] else ">Iii"
    places = range(8, 8 + struct.calcsize(form) * entries, struct.calcsize(form))
    found = (struct.unpack_from(form, elst, place) for place in places)
    return tuple(Edit(Fraction(length, scale), media_time) for length, media_time, _ in found)


def _defaults(moov: bytes) -> tuple[int, int]:
    """Duration and size that samples have where their fragment does not say (`trex`)."""
    trex = find(moov, "mvex", "trex")
    return struct.unpack_from(">II", trex, 12) if trex else (0, 0)


def _fragment(
    moof: bytes, offset: int, size: int, media_time: int, defaults: tuple[int, int]
) -> Fragment:
    traf = find(moof, "moof", "traf")
    tfdt = find(traf, "tfdt") if traf else None
    tfhd = find(traf, "tfhd") if traf else None
    if traf is None or tfdt is None or tfhd is None:
        raise ValueError("a fragment does not say when it is decoded")
    (decoded,) = struct.unpack_from(">Q" if tfdt[0] else ">I", tfdt, 4)
    default = _own_defaults(tfhd, defaults)
    durations: list[int] = []
    sizes: list[int] = []
    composition = None
    for kind, content in boxes(traf):
        if kind == "trun":
            first = _read_run(content, default, durations, sizes)
            composition = first if composition is None else composition
    start = decoded + (composition or 0) - media_time
    data = offset + len(moof) + HEADER
    return Fragment(offset, size, data, decoded, start, tuple(durations), tuple(sizes))


def _own_defaults(tfhd: bytes, defaults: tuple[int, int]) -> tuple[int, int]:
    """What a fragment's header (8.8.7) puts in place of the track's defaults."""
    flags, place = int.from_bytes(tfhd[1:4], "big"), 8
    place += 8 * bool(flags & 0x1) + 4 * bool(flags & 0x2)
    duration, size = defaults
    if flags & 0x8:
        (duration,), place = struct.unpack_from(">I", tfhd, place), place + 4
    if flags & 0x10:
        (size,) = struct.unpack_from(">I", tfhd, place)
    return duration, size


def _read_run(
    trun: bytes, defaults: tuple[int, int], durations: list[int], sizes: list[int]
) -> int:
    """Add the run's samples, and return the first one's composition offset."""
    flags = int.from_bytes(trun[1:4], "big")
    (count,) = struct.unpack_from(">I", trun, 4)
    place = 8 + 4 * bool(flags & _DATA_OFFSET) + 4 * bool(flags & _FIRST_FLAGS)
    given = [bool(flags & each) for each in _SAMPLE_FIELDS]
    fields = sum(given)
    values = struct.unpack_from(f">{count * fields}I", trun, place)
    durations += values[0::fields] if given[0] else [defaults[0]] * count
    sizes += values[given[0] :: fields] if given[1] else [defaults[1]] * count
    if not given[3] or not count:
        return 0
    form = ">i" if trun[0] else ">I"  # version 1 has signed ones
    return int(struct.unpack_from(form, trun, place + 4 * (fields - 1))[0])
