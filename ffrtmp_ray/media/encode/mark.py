"""How an image is laid over the picture: an input of its own, and a part of the graph. Pure.

Once, before the renditions part: so it is the same in all of them, costs one overlay however many
there are, and is scaled down with the picture in the one cascade.
"""

from __future__ import annotations

from fractions import Fraction

from ffrtmp_ray.media.encode.work import Color, Mark, VideoWork
from ffrtmp_ray.media.inputs import DECODER_OPTIONS

_EDGE = Fraction(1, 1_000_000)
"""Seconds by which a frame may come before the time that is asked for, which has six decimals."""


def mark_input(mark: Mark | None) -> list[str]:
    """The second input of a command line, right behind the source."""
    if mark is None:
        return []
    limits = [word for name, value in DECODER_OPTIONS.items() for word in (f"-{name}", value)]
    return ["-protocol_whitelist", "file", *limits, "-f", mark.demuxer, "-i", mark.path]


def marked(work: VideoWork, mark: Mark) -> list[str]:
    """Parts of a graph, from `[picture]` and the second input to `[marked]`."""
    deep = work.bit_depth == 10
    pixels = drawn_pixels(work)
    blend = f"overlay=x={mark.x}:y={mark.y}:format={'yuv420p10' if deep else 'yuv420'}"
    return [
        f"[1:v]scale={mark.width}:{mark.height},format=gbrap,split[color][alpha]",
        f"[alpha]alphaextract,lut=c0=val*{mark.opacity:g},format={'gray10le' if deep else 'gray'}"
        "[alphas]",
        f"[color]format=gbrp,{painted(work)},format={pixels}[colors]",
        "[colors][alphas]alphamerge[mark]",
        f"[picture]{','.join(drawable(work))}[base]",
        f"[base][mark]{blend}{_span(work, mark)}[marked]",
    ]


def drawable(work: VideoWork) -> list[str]:
    """Filters from the picture's pixels to those that are drawn on. Where they differ, matrix and
    range are stated: left to ffmpeg, those of an image laid over it (of a JPEG, all of the range)
    become the picture's."""
    color, pixels = work.color, [f"format={drawn_pixels(work)}"]
    if work.rgb:
        return ["scale=out_color_matrix=bt709:out_range=tv", *pixels]
    if work.form is None or work.form.pixels == drawn_pixels(work):
        return pixels
    stated = [] if color.matrix is None else [f"setparams=colorspace={color.matrix}"]
    scale = f"scale=out_color_matrix={_matrix(color)}:out_range={color.range or 'tv'}"
    return [scale, *pixels, *stated]  # scale has one name for matrices that are alike


def drawn_pixels(work: VideoWork) -> str:
    """ffmpeg's name of the pixels that are drawn on."""
    return "yuv420p10le" if work.bit_depth == 10 else "yuv420p"


def painted(work: VideoWork) -> str:
    """Filters from an image's sRGB to the picture's colours; on HDR its white is that of paper
    (ITU-R BT.2408)."""
    color = work.color
    if not color.hdr:
        matrix = "bt709" if work.rgb else _matrix(color)
        return f"scale=out_color_matrix={matrix}:out_range={color.range or 'tv'}"
    return (
        "setparams=color_primaries=bt709:color_trc=iec61966-2-1:colorspace=gbr:range=pc,"
        "zscale=t=linear:npl=203,format=gbrpf32le,"
        f"zscale=p={color.primaries or 'bt2020'},"
        f"zscale=t={color.transfer}:npl=203:m={color.matrix or 'bt2020nc'}:r={color.range or 'tv'}"
    )


def _matrix(color: Color) -> str:
    """What is meant where nothing is said is what ffmpeg takes it for."""
    return "bt601" if color.matrix in (None, "unknown") else color.matrix


def _span(work: VideoWork, mark: Mark) -> str:
    """The times at which it is shown, by those of the chunk, which begin at zero."""
    if mark.start is None and mark.end is None:
        return ""
    begin = Fraction(0) if work.chunk is None else Fraction(work.chunk.offset, work.timescale)
    shown = [] if mark.start is None else [f"gte(t,{_time(mark.start - begin)})"]
    shown += [] if mark.end is None else [f"lt(t,{_time(mark.end - begin)})"]
    return f":enable='{'*'.join(shown)}'"


def _time(seconds: Fraction) -> str:
    return f"{float(seconds - _EDGE):.6f}"
