"""Writes the segments of CMAF tracks. Decides nothing of where they begin."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from pathlib import Path

from ffrtmp_ray.media.package.cmaf import Track, runs, sound_segment, track_id
from ffrtmp_ray.media.package.streams import INIT, Segment, segment_name, segments

SUFFIX = "m4s"


def write_picture(
    path: Path, track: Track, starts: Sequence[int], end: int, folder: Path
) -> tuple[Segment, ...]:
    """The track at `path`, as it is, cut at `starts`; it ends at `end`. All in ticks.

    Raises ValueError where no fragment begins at one of `starts`.
    """
    cut = runs(track, starts)
    _write_header(track, folder)
    with path.open("rb") as file:
        for number, (offset, size) in enumerate(cut, start=1):
            file.seek(offset)
            (folder / segment_name(number, SUFFIX)).write_bytes(file.read(size))
    return segments(starts, end, [size for _, size in cut], SUFFIX)


class Samples:
    """Those of a sound's track, in their order. Times in its ticks, of which all are `later`."""

    def __init__(self, track: Track, later: int = 0) -> None:
        fragments = track.fragments
        self.durations = [each for fragment in fragments for each in fragment.durations]
        self.sizes = [each for fragment in fragments for each in fragment.sizes]
        times = list(accumulate(self.durations, initial=later - track.media_time))
        self.begins = times[:-1]
        self.end = times[-1]
        self.places = [
            place
            for fragment in fragments
            for place in list(accumulate(fragment.sizes, initial=fragment.data))[:-1]
        ]


def write_sound(
    path: Path, track: Track, samples: Samples, cuts: Sequence[int], folder: Path
) -> tuple[Segment, ...]:
    """The track at `path`, in segments that begin with the samples `cuts`; each is one fragment.

    What comes before zero, which the edit list hides, is no part of the first one's length.
    """
    _write_header(track, folder)
    sizes = []
    with path.open("rb") as file:
        for number, (first, after) in enumerate(pairwise((*cuts, len(samples.sizes))), start=1):
            span = slice(first, after)
            sized = list(zip(samples.durations[span], samples.sizes[span], strict=True))
            decoded = samples.begins[first] + track.media_time
            parts = [sound_segment(track_id(track), number, decoded, sized)]
            for place, size in zip(samples.places[span], samples.sizes[span], strict=True):
                file.seek(place)
                parts.append(file.read(size))
            content = b"".join(parts)
            (folder / segment_name(number, SUFFIX)).write_bytes(content)
            sizes.append(len(content))
    starts = [max(0, samples.begins[first]) for first in cuts]
    return segments(starts, samples.end, sizes, SUFFIX)


def _write_header(track: Track, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / INIT).write_bytes(track.init)
