"""Does a file say of its colours and its light what was planned? Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ffrtmp_ray.media.encode.work import Color, Light, Mastering
from ffrtmp_ray.media.probe.source import VideoStream

_UNSTATED = {"range": "tv"}
"""What is meant where nothing is said (ITU-T H.264, E.2.1)."""
_CHROMATICITY_STEP = 2
"""In units of 0.00002: AV1 counts in 1/65536, Matroska in floats."""
_LUMINANCE_STEP = 40
"""In units of 0.0001 cd/m²: AV1 counts in 1/256."""


def color_faults(color: Color, light: Light | None, video: VideoStream) -> Iterator[str]:
    """What is stated otherwise, each as a clause. What `color` leaves open may be anything."""
    for what, want in color:
        have = getattr(video.color, what) or _UNSTATED.get(what)
        if want not in (None, "unknown", have):
            yield f"the {what} of its colours is {have or 'not stated'}, not {want}"
    if light is None:
        return
    have_light = video.light or Light()
    if (have_light.max_cll, have_light.max_fall) != (light.max_cll, light.max_fall):
        yield "its content light level is not that of the source"
    if light.mastering is not None and not _equal(have_light.mastering, light.mastering):
        yield "its mastering display is not that of the source"


def _equal(have: Mastering | None, want: Mastering) -> bool:
    if have is None:
        return False
    points = zip(_points(have), _points(want), strict=True)
    return all(abs(one - other) <= _CHROMATICITY_STEP for one, other in points) and all(
        abs(one - other) <= _LUMINANCE_STEP
        for one, other in ((have.darkest, want.darkest), (have.brightest, want.brightest))
    )


def _points(display: Mastering) -> tuple[int, ...]:
    return (*display.red, *display.green, *display.blue, *display.white)
