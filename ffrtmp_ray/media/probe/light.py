"""What a frame says of HDR beside its pixels. Runs in the child process.

The layouts are those of libavutil's structures, which PyAV hands on as bytes.
"""

from __future__ import annotations

import struct
from fractions import Fraction

from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame

from ffrtmp_ray.media.encode.work import Light, Mastering

_DYNAMIC = {"DYNAMIC_HDR_PLUS": "HDR10+", "DOVI_METADATA": "Dolby Vision"}

_MASTERING = struct.Struct("=20i2i")
"""AVMasteringDisplayMetadata: rationals of red, green, blue and white, x and y each, then of the
least and the most luminance; whether there are chromaticities, and luminances."""
_CONTENT_LIGHT = struct.Struct("=2I")
"""AVContentLightMetadata."""
_DOVI_OFFSETS = struct.Struct("=Q")
"""AVDOVIMetadata begins with the place of its header (size_t)."""
_DOVI_HEADER = struct.Struct("=BxHBBBBBBB")
"""AVDOVIRpuDataHeader, up to its bl_video_full_range_flag."""


def light_of(frame: VideoFrame) -> Light | None:
    """What HDR10 says, in its own units; None where it says nothing."""
    mastering = _bytes(frame, "MASTERING_DISPLAY_METADATA")
    display = None if mastering is None else mastering_of(mastering)
    content = _bytes(frame, "CONTENT_LIGHT_LEVEL")
    cll, fall = (0, 0) if content is None else _CONTENT_LIGHT.unpack_from(content)
    if display is None and not cll and not fall:
        return None
    return Light(mastering=display, max_cll=cll, max_fall=fall)


def mastering_of(data: bytes) -> Mastering | None:
    """None where chromaticities or luminances are missing."""
    *numbers, has_primaries, has_luminance = _MASTERING.unpack_from(data)
    terms = list(zip(numbers[::2], numbers[1::2], strict=True))
    if not has_primaries or not has_luminance or not all(bottom for _, bottom in terms):
        return None
    values = [Fraction(top, bottom) for top, bottom in terms]
    points = [round(value * 50_000) for value in values[:8]]
    red, green, blue, white = zip(points[::2], points[1::2], strict=True)
    darkest, brightest = (round(value * 10_000) for value in values[8:])
    return Mastering(
        red=red, green=green, blue=blue, white=white, darkest=darkest, brightest=brightest
    )


def dynamic_hdr(frame: VideoFrame) -> tuple[str, ...]:
    """Names of what it says for itself alone."""
    return tuple(name for kind, name in _DYNAMIC.items() if _bytes(frame, kind) is not None)


def has_base_layer(frame: VideoFrame) -> bool:
    """Whether the pixels can be shown by who knows nothing of Dolby Vision."""
    data = _bytes(frame, "DOVI_METADATA")
    return data is None or not is_profile_5(data)


def is_profile_5(dovi: bytes) -> bool:
    """Of an AVDOVIMetadata. Its pixels are IPT of full range and nothing but it says so: profile 0
    of the RPU with full range (libavcodec's ff_dovi_guess_profile_hevc)."""
    (header,) = _DOVI_OFFSETS.unpack_from(dovi)
    _, _, rpu_profile, *_, full_range = _DOVI_HEADER.unpack_from(dovi, header)
    return (rpu_profile, full_range) == (0, 1)


def _bytes(frame: VideoFrame, kind: str) -> bytes | None:
    data = frame.side_data.get(kind)
    return bytes(data) if isinstance(data, SideData) else None
