"""From which picture each rendition is scaled: the source's, or a larger rendition's. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.encoders import encoder_for

STEP = Fraction(4, 3)
"""How many times as wide and as high, at least, a picture is from which another is scaled. In steps
of 1.33 and 1.5 (1080, 720, 480 and 360 lines of real footage), a cascade took 47 % of the CPU time
of scaling each from the source; against pictures scaled with the greatest care, 480 and 360 lines
came to 59.7 and 57.3 dB instead of 61.9 and 60.2, far above what any encoder keeps. A smaller step
would save little, and blur once more."""


def cascade(
    outputs: Sequence[OutputWork], source: tuple[int, int], bit_depth: int
) -> tuple[OutputWork, ...]:
    """`outputs`, in their order, each with the sizes that it is scaled `via`.

    `source` is the size of the source's picture as it is shown: what has that size already is
    scaled from nothing else. `bit_depth` is the job's; only renditions that keep as much of it
    share a picture, and only those of one frame rate.
    """
    placed: list[OutputWork] = []
    scaled: list[OutputWork] = []
    for output in sorted(outputs, key=_pixels, reverse=True):
        larger = (each for each in scaled if _serves(each, output, bit_depth))
        parent = min(larger, key=_pixels, default=None)
        via = () if parent is None else (*parent.via, (parent.width, parent.height))
        placed.append(output.model_copy(update={"via": via}))
        if (output.width, output.height) != source:
            scaled.append(placed[-1])
    by_name = {each.rendition.name: each for each in placed}
    return tuple(by_name[each.rendition.name] for each in outputs)


def _serves(larger: OutputWork, output: OutputWork, bit_depth: int) -> bool:
    return (
        larger.width >= STEP * output.width
        and larger.height >= STEP * output.height
        and larger.rendition.fps == output.rendition.fps
        and _format(larger, bit_depth) == _format(output, bit_depth)
    )


def _format(output: OutputWork, bit_depth: int) -> str:
    return encoder_for(output.rendition.codec, gpu=False).pixel_format(bit_depth)


def _pixels(output: OutputWork) -> int:
    return output.width * output.height
