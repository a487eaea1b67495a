"""Files that mean harm, each made here in a moment: nothing is copied from anywhere."""

from __future__ import annotations

import struct
import subprocess
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ffrtmp_ray.core.model import FailureKind
from tests.clips import Clips

Make = Callable[[Path, Clips], None]
"""Writes a hostile file at a path; what it reaches for is `secret.mp4` beside it."""


def write(name: str, folder: Path, clips: Clips) -> Path:
    """The hostile file of that name in an empty `folder`, with what it reaches for beside it."""
    (folder / "secret.mp4").write_bytes(clips("silent.mp4").read_bytes())
    (folder / "secret1.png").write_bytes(clips("still.png").read_bytes())
    path = folder / name
    make = REACHING[name] if name in REACHING else DEMANDING[name].make
    make(path, clips)
    return path


@dataclass(frozen=True)
class Demand:
    make: Make
    ends: FailureKind | None = None
    """How a job with it fails; None where it completes: what is wrong with it does no harm."""


# ------------------------------------------------------------- files that reach for other files


def _text(text: str) -> Make:
    """`{secret}` is the path of the file that it reaches for."""

    def write(path: Path, _: Clips) -> None:
        path.write_text(text.replace("{secret}", str(path.parent / "secret.mp4")))

    return write


_PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{secret}\n#EXT-X-ENDLIST\n"
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'width="64" height="64"><image xlink:href="file://{secret}" width="64" height="64"/></svg>'
)
_MPD = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
    '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1">'
    "<BaseURL>{secret}</BaseURL></Representation></AdaptationSet></Period></MPD>"
)
_SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"

REACHING: Mapping[str, Make] = {
    "playlist.m3u8": _text(_PLAYLIST),
    "playlist.mp4": _text(_PLAYLIST),
    "playlist.ts": _text(_PLAYLIST.replace("{secret}", "file://{secret}")),
    "nested.m3u8": _text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nconcat:{secret}|{secret}\n"),
    "keyed.m3u8": _text(
        '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI="{secret}"\n'
        "#EXTINF:2,\ncrypto+file:{secret}\n#EXT-X-ENDLIST\n"
    ),
    "script.ffconcat": _text("ffconcat version 1.0\nfile '{secret}'\n"),
    "script.mkv": _text("ffconcat version 1.0\nfile '{secret}'\n"),
    "manifest.mpd": _text(_MPD),
    "session.sdp": _text(_SDP),
    "picture.svg": _text(_SVG),
    "picture.mp4": _text(_SVG),
    "metalink.asx": _text('<asx version="3.0"><entry><ref href="{secret}"/></entry></asx>'),
    "filter.lavfi": _text("movie={secret}"),
    "secret%d.png": lambda path, clips: _copy(clips("still.png"), path),
    "external.mov": lambda path, clips: _reference(path, clips),
}
"""Refused for what they are, whatever they are called."""


def _copy(source: Path, path: Path) -> None:
    path.write_bytes(source.read_bytes())


def _reference(path: Path, clips: Clips) -> None:
    """A QuickTime movie whose samples are said to lie in another file (an alias record)."""
    movie = clips("silent.mp4").read_bytes()
    where = str(path.parent / "secret.mp4").encode()
    where += b"\0" * (len(where) % 2)
    record = bytes(10) + bytes([0]) + bytes(27) + bytes(12) + bytes([0]) + bytes(63) + bytes(16)
    record += struct.pack(">HH", 1, 1) + bytes(16)
    record += struct.pack(">HH", 2, len(where)) + where + struct.pack(">HH", 0xFFFF, 0)
    entry = struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
    path.write_bytes(_replaced(movie, b"url \0\0\0\1", entry[4:], entry_size=len(entry)))


def _replaced(movie: bytes, old: bytes, new: bytes, *, entry_size: int) -> bytes:
    """`movie` with the data reference `old` made `new`, and all boxes around it as large as needed.

    The movie's index stands behind its media, which so stays where it is.
    """
    at = movie.index(old)
    grown = bytearray(
        movie[: at - 4] + struct.pack(">I", entry_size) + new + movie[at + len(old) :]
    )
    growth = len(grown) - len(movie)
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        place = movie.rindex(box, 0, at) - 4
        (size,) = struct.unpack_from(">I", grown, place)
        struct.pack_into(">I", grown, place, size + growth)
    return bytes(grown)


def attach(path: Path, clips: Clips) -> None:
    """A film that carries a playlist, a picture and a font, all of which name another file."""
    words = []
    for number, (name, kind) in enumerate(_ATTACHED.items()):
        REACHING[name](path.parent / name, clips)
        words += ["-attach", str(path.parent / name), f"-metadata:s:t:{number}", f"mimetype={kind}"]
    _made("-i", "@silent.mp4", "-c", "copy", *words)(path, clips)


_ATTACHED = {
    "playlist.m3u8": "application/vnd.apple.mpegurl",
    "picture.svg": "image/svg+xml",
    "script.ffconcat": "application/x-truetype-font",
}


# --------------------------------------------------------------- files that ask for much


def _made(*words: str) -> Make:
    """By ffmpeg; `@name` is a clip's path."""

    def write(path: Path, clips: Clips) -> None:
        filled = [str(clips(word[1:])) if word.startswith("@") else word for word in words]
        argv = [clips.ffmpeg, "-v", "error", "-nostdin", "-y", *filled, str(path)]
        subprocess.run(argv, check=True, capture_output=True)

    return write


def _patched(clip: str, *changes: tuple[bytes, bytes]) -> Make:
    """A clip in which the first place of each old text has a new one."""

    def write(path: Path, clips: Clips) -> None:
        data = clips(clip).read_bytes()
        for old, new in changes:
            assert old in data
            data = data.replace(old, new, 1)
        path.write_bytes(data)

    return write


def _large_png(path: Path, clips: Clips) -> None:
    """A picture of 16000 x 16000 in a few hundred bytes, in a container for video."""
    _made("-i", "@still.png", "-c", "copy", "-f", "matroska")(path, clips)
    data = path.read_bytes()
    at = data.index(b"IHDR")
    header = b"IHDR" + struct.pack(">II", 16_000, 16_000) + data[at + 12 : at + 17]
    path.write_bytes(data[:at] + header + struct.pack(">I", zlib.crc32(header)) + data[at + 21 :])


def _large_h264(path: Path, clips: Clips) -> None:
    """A stream whose parameters speak of 65536 x 65536 pixels."""
    sps = "011001000000000000110011"  # High, level 5.1
    sps += _ue(0) + _ue(1) + _ue(0) + _ue(0) + "00"  # id, 4:2:0, 8 bits, no bypass, no matrix
    sps += _ue(0) + _ue(2) + _ue(4) + "0"  # frame numbers, order of output, references, no gaps
    sps += _ue(4095) + _ue(4095) + "1" + "1" + "0" + "0" + "1"  # macroblocks, then flags
    sps += "0" * (-len(sps) % 8)
    unit = b"\x00\x00\x00\x01\x67" + int(sps, 2).to_bytes(len(sps) // 8, "big")
    raw = clips("raw.h264").read_bytes()
    path.write_bytes(unit + raw[raw.index(b"\x00\x00\x00\x01\x68") :])


def _ue(number: int) -> str:
    """Unsigned Exp-Golomb (ITU-T H.264, 9.1), as bits."""
    bits = f"{number + 1:b}"
    return "0" * (len(bits) - 1) + bits


def _large_gif(path: Path, clips: Clips) -> None:
    """A canvas of 16000 x 8000, said in ten bytes."""
    plain = clips("rgb.gif").read_bytes()
    path.write_bytes(plain[:6] + struct.pack("<HH", 16_000, 8_000) + plain[10:])


def _picture(how: str) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", f"testsrc2=size=64x36:{how}", "-fps_mode", "passthrough")


_X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0")


def _jump(seconds: float) -> tuple[str, ...]:
    """Half of the frames lie so much later."""
    later = f"setts=ts=TS+gte(N\\,25)*{seconds}/TB"
    return (*_picture("rate=25:duration=2"), *_X264, "-bsf:v", later)


def _large_y4m(path: Path, _: Clips) -> None:
    path.write_bytes(b"YUV4MPEG2 W60000 H60000 F25:1\nFRAME\n" * 2)


def _unknown_codec(path: Path, clips: Clips) -> None:
    _made("-i", "@silent.mp4", "-c", "copy")(path, clips)
    path.write_bytes(path.read_bytes().replace(b"V_MPEG4/ISO/AVC", b"V_MPEG4/ISO/XXX"))


_YEAR = ("-itsoffset", "30000000")

DEMANDING: Mapping[str, Demand] = {
    "large-png.mkv": Demand(_large_png, FailureKind.BAD_INPUT),
    "large.h264": Demand(_large_h264, FailureKind.BAD_INPUT),
    "large.gif": Demand(_large_gif, FailureKind.BAD_INPUT),
    "large.y4m": Demand(_large_y4m, FailureKind.BAD_INPUT),
    "large-header.mp4": Demand(
        _patched("silent.mp4", (b"\x01\x40\x00\xb4\x00\x48", b"\xff\xff\xff\xff\x00\x48"))
    ),
    "streams.mkv": Demand(
        _made("-i", "@plain.mp4", "-map", "0:v", *("-map", "0:a") * 60, "-c", "copy")
    ),
    "unknown.mkv": Demand(_unknown_codec, FailureKind.UNSUPPORTED),
    "year.mkv": Demand(_made(*_jump(3e7)), FailureKind.UNSUPPORTED),
    "century.mp4": Demand(_made(*_jump(3e9))),
    "century.nut": Demand(_made(*_jump(3e9), "-f", "nut"), FailureKind.UNSUPPORTED),
    "back.mkv": Demand(_made(*_jump(-3e6)), FailureKind.INEXACT),
    "late-sound.mkv": Demand(_made("-i", "@silent.mp4", *_YEAR, "-i", "@sound.m4a", "-c", "copy")),
    "late-picture.mkv": Demand(
        _made("-i", "@sound.m4a", *_YEAR, "-i", "@silent.mp4", "-c", "copy")
    ),
    "million.nut": Demand(_made(*_picture("rate=1000000:duration=0.0001"), *_X264)),
    "slow.mkv": Demand(
        _made(*_picture("rate=1/100000:duration=1000000"), *_X264), FailureKind.UNSUPPORTED
    ),
}
