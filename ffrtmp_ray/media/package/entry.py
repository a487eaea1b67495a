"""A track's sample entry: which codec, as players ask for it (RFC 6381). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ffrtmp_ray.media.package.boxes import boxes, find

_PICTURE_FIELDS, _SOUND_FIELDS = 78, 28
"""Bytes before the boxes of a visual and of an audio sample entry (ISO/IEC 14496-12, 12.1.3 and
12.2.3)."""
_CHANNELS = (0, 1, 2, 3, 4, 5, 6, 8)
"""By AAC's channelConfiguration (ISO/IEC 14496-3, table 1.19)."""
_ACMOD = (2, 1, 2, 3, 3, 4, 4, 5)
"""Full channels by AC-3's audio coding mode (ETSI TS 102 366, table 4.3)."""


@dataclass(frozen=True, slots=True)
class SampleEntry:
    codec: str
    """As `avc1.64001F`."""
    channels: int = 0
    rate: int = 0
    """Samples a second; of a sound, as the number of its channels."""


def read_entry(moov: bytes) -> SampleEntry:
    """Of the first track of a `moov`. Raises ValueError for one that is not known here."""
    stsd = find(moov, "trak", "mdia", "minf", "stbl", "stsd")
    if stsd is None:
        raise ValueError("the header has no sample entry")
    kind, entry = next(boxes(stsd[8:]))
    if kind in ("mp4a", "Opus", "ac-3", "ec-3"):
        return _sound(kind, entry)
    return SampleEntry(_picture(kind, dict(boxes(entry[_PICTURE_FIELDS:]))))


def _picture(kind: str, configurations: dict[str, bytes]) -> str:
    if kind == "avc1":
        return f"avc1.{configurations['avcC'][1:4].hex().upper()}"
    if kind == "hvc1":
        return f"hvc1.{_hevc(configurations['hvcC'])}"
    if kind == "av01":
        return f"av01.{_av1(configurations['av1C'])}"
    if kind == "vp09":
        profile, level, depth = configurations["vpcC"][4:7]
        return f"vp09.{profile:02}.{level:02}.{depth >> 4:02}"
    raise ValueError(f"{kind} is no kind of track that is made here")


def _hevc(record: bytes) -> str:
    """ISO/IEC 14496-15, annex E.3: profile, compatibility in reverse bit order, tier and level,
    and the constraint bytes up to the last that is not zero."""
    space = ("", "A", "B", "C")[record[1] >> 6]
    tier = "H" if record[1] & 0x20 else "L"
    compatible = int(f"{int.from_bytes(record[2:6], 'big'):032b}"[::-1], 2)
    constraints = record[6:12].rstrip(b"\0")
    head = f"{space}{record[1] & 0x1F}.{compatible:X}.{tier}{record[12]}"
    return ".".join([head, *(f"{byte:X}" for byte in constraints)])


def _av1(record: bytes) -> str:
    """The AV1 ISOBMFF binding, section 5: profile, level and tier, bit depth."""
    profile, level = record[1] >> 5, record[1] & 0x1F
    tier = "H" if record[2] & 0x80 else "M"
    deep, deepest = record[2] & 0x40, record[2] & 0x20
    depth = 12 if deep and deepest else 10 if deep else 8
    return f"{profile}.{level:02}{tier}.{depth:02}"


def _sound(kind: str, entry: bytes) -> SampleEntry:
    configurations = dict(boxes(entry[_SOUND_FIELDS:]))
    rate = int.from_bytes(entry[24:26], "big")
    if kind == "Opus":
        return SampleEntry("opus", channels=configurations["dOps"][1], rate=rate)
    if kind == "ac-3":
        return SampleEntry(kind, _dolby(configurations["dac3"], 10), rate)
    if kind == "ec-3":
        return SampleEntry(kind, _dolby(configurations["dec3"], 28), rate)
    object_type, specific = _elementary(configurations["esds"][4:])
    audio_type = specific[0] >> 3
    channels = (specific[1] >> 3) & 0xF
    return SampleEntry(
        f"mp4a.{object_type:02x}.{audio_type}",
        channels=_CHANNELS[channels] if channels < len(_CHANNELS) else 0,
        rate=rate,
    )


def _dolby(record: bytes, place: int) -> int:
    """Channels of an `AC3SpecificBox` or of the first stream in an `EC3SpecificBox` (ETSI TS 102
    366, F.4 and F.6): `acmod` at that bit, and `lfeon` after its three."""
    bits = f"{int.from_bytes(record, 'big'):0{8 * len(record)}b}"
    return _ACMOD[int(bits[place : place + 3], 2)] + int(bits[place + 3])


def _elementary(descriptors: bytes) -> tuple[int, bytes]:
    """Object type and decoder-specific information of an `esds` (ISO/IEC 14496-1, 7.2.6).

    Raises ValueError where it has none.
    """
    object_type = 0
    place = 0
    while place < len(descriptors):
        tag, place = descriptors[place], place + 1
        size = 0
        while True:
            byte, place = descriptors[place], place + 1
            size = size << 7 | byte & 0x7F
            if not byte & 0x80:
                break
        if tag == 3:
            place += 3
        elif tag == 4:
            object_type, place = descriptors[place], place + 13
        elif tag == 5:
            return object_type, descriptors[place : place + size]
        else:
            place += size
    raise ValueError("a sound does not say how it is decoded")
