"""Streams of transport-stream segments for HLS, the first sound in those of the pictures. Part of
`finish`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from ffrtmp_ray.media.assignment import Ended, Failed, Stopped
from ffrtmp_ray.media.package.cmaf import Track, read_track
from ffrtmp_ray.media.package.mux import TS_OFFSET, ts_argv
from ffrtmp_ray.media.package.streams import SoundStream, Stream, segment_name, segments
from ffrtmp_ray.media.package.ts import CLOCK, PICTURE, SOUND, WRAPS, first_time
from ffrtmp_ray.media.steps.joining import sound_file
from ffrtmp_ray.media.steps.making import Making, sound_stream
from ffrtmp_ray.media.timing import nearest

SUFFIX = "ts"
_HEAD = 188 * 5000
"""Bytes of a segment within which its first picture is found."""


async def picture(
    making: Making, joined: Path, path: str, starts: Sequence[int], end: int
) -> Stream | Failed | Stopped:
    """The joined track of a rendition, cut, with the first sound beside it. Raises ValueError where
    it has no keyframe at one of `starts`."""
    step, folder = making.step, making.staged / path
    beside = [sound_file(step, sound) for sound in making.work.sounds[:1]]
    scale = making.work.timescale
    folder.mkdir(parents=True)
    ticks = [nearest(Fraction(start * CLOCK, scale)) for start in starts]  # as ffmpeg rounds
    times = [tick * 1_000_000 // CLOCK for tick in ticks]
    argv = ts_argv(step.toolbox.ffmpeg, joined, beside, times, folder)
    if (ended := await making.ffmpeg(argv)) is not None:
        return ended
    begins = await step.in_thread(_begins, folder, PICTURE)
    planned = [(tick + TS_OFFSET * CLOCK) % WRAPS for tick in ticks]
    if begins != planned:
        raise ValueError("its keyframes are not where segments begin")
    tracks = [
        await step.in_thread(read_track, each) for each in (joined, *(each.path for each in beside))
    ]
    sizes = await step.in_thread(_sizes, folder)
    cut = segments(starts, end, sizes, SUFFIX)
    return Stream(path, tuple(track.entry.codec for track in tracks), scale, cut)


async def sounds(making: Making) -> tuple[SoundStream, ...] | Ended:
    """The first, which is in the pictures' segments, and the others in streams of their own. Raises
    ValueError where one of these is not cut as it should be."""
    made = []
    for number, sound in enumerate(making.work.sounds):
        file = sound_file(making.step, sound)
        track = await making.step.in_thread(read_track, file.path)
        stream = None
        if number:
            folder = making.staged / "audio" / str(number)
            folder.mkdir(parents=True)
            times = [int(time * 1_000_000) for time in making.planned]
            argv = ts_argv(making.step.toolbox.ffmpeg, None, [file], times, folder)
            if (ended := await making.ffmpeg(argv)) is not None:
                return ended
            stream = await making.step.in_thread(_sound_stream, folder, number, track)
        made.append(sound_stream(making.work.sounds, number, track.entry, stream))
    return tuple(made)


def _sound_stream(folder: Path, number: int, track: Track) -> Stream:
    begins = [(begin - TS_OFFSET * CLOCK) % WRAPS for begin in _begins(folder, SOUND)]
    starts = [0, *begins[1:]]  # what is before zero primes the decoder
    end = nearest(track.end * CLOCK)
    cut = segments(starts, max(end, starts[-1] + 1), _sizes(folder), SUFFIX)
    return Stream(f"audio/{number}", (track.entry.codec,), CLOCK, cut)


def _files(folder: Path) -> list[Path]:
    """In the order of their numbers. Raises ValueError where one is missing."""
    files = sorted(folder.iterdir())
    if [file.name for file in files] != [
        segment_name(number, SUFFIX) for number in range(1, len(files) + 1)
    ]:
        raise ValueError("a segment is missing")
    return files


def _begins(folder: Path, kinds: range) -> list[int]:
    """When the picture or the sound of each segment begins. Raises ValueError."""
    begins = []
    for file in _files(folder):
        with file.open("rb") as content:
            begin = first_time(content.read(_HEAD), kinds)
        if begin is None:
            raise ValueError(f"{file.name} has no beginning")
        begins.append(begin)
    return begins


def _sizes(folder: Path) -> list[int]:
    return [file.stat().st_size for file in _files(folder)]
