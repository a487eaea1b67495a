"""HDR on its way through ffmpeg: kept and stated, or mapped to SDR. Pure strings."""

from __future__ import annotations

from fractions import Fraction

from ffrtmp_ray.media.encode.work import Color, Light

BT709 = Color(primaries="bt709", transfer="bt709", matrix="bt709", range="tv")
"""Of what is tone-mapped."""

_WHITE = 203
"""cd/m² of white paper in HDR (ITU-R BT.2408, 2.2), which becomes the white of SDR."""
_USUAL_PEAK = 1000
"""cd/m², where a source does not say (and HLG's nominal one)."""
_DIMMEST_PEAK = 100
"""cd/m²: no display on which HDR is made is darker; some files say so in error."""
_LINEAR_UP_TO = 0.7
"""Part of SDR's white up to which mobius leaves light as it is."""


def light_options(light: Light | None) -> list[str]:
    """Options of an input that state its light, to decoders, encoders and muxers behind it: not
    every frame says it, and a chunk may start at one that does not."""
    if light is None:
        return []
    options: list[str] = []
    if (display := light.mastering) is not None:
        options += [
            "-mastering_display",
            f"G({_pair(display.green)})B({_pair(display.blue)})R({_pair(display.red)})"
            f"WP({_pair(display.white)})L({display.brightest},{display.darkest})",
        ]
    if light.max_cll or light.max_fall:
        options += ["-content_light", f"{light.max_cll},{light.max_fall}"]
    return options


def tone_map(color: Color, light: Light | None) -> list[str]:
    """Filters that make BT.709 of limited range of an HDR picture.

    The peak is given, so that all chunks are mapped alike. Mobius with white at 203 cd/m² gives
    what was made from SDR back (39 dB of PSNR on Big Buck Bunny; Hable, which ffmpeg's own examples
    use, 18 dB, Reinhard 26 dB) and still tells highlights apart, which clipping does not.
    """
    read_as = {
        "pin": color.primaries or "bt2020",
        "tin": color.transfer,
        "min": color.matrix or "bt2020nc",
        "rin": color.range or "tv",
    }
    given = ":".join(f"{name}={value}" for name, value in read_as.items())
    peak = Fraction(_peak(light), _WHITE)
    return [
        f"zscale={given}:t=linear:npl={_WHITE}",
        "format=gbrpf32le",
        "zscale=p=bt709",
        f"tonemap=mobius:param={_LINEAR_UP_TO}:peak={float(peak):.4f}:desat=0",
        "zscale=p=bt709:t=bt709:m=bt709:r=tv",
        "sidedata=mode=delete:type=MASTERING_DISPLAY_METADATA",
        "sidedata=mode=delete:type=CONTENT_LIGHT_LEVEL",
    ]


def _peak(light: Light | None) -> int:
    """cd/m² of the brightest that there is."""
    if light is None:
        return _USUAL_PEAK
    display = light.mastering.brightest // 10_000 if light.mastering is not None else 0
    return next((each for each in (light.max_cll, display) if each > _DIMMEST_PEAK), _USUAL_PEAK)


def _pair(point: tuple[int, int]) -> str:
    return f"{point[0]},{point[1]}"
