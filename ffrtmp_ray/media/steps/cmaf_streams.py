"""Streams of CMAF segments, which HLS and DASH share. Part of `finish`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ffrtmp_ray.media.assignment import Ended
from ffrtmp_ray.media.package.cmaf import Track, read_track
from ffrtmp_ray.media.package.mux import cmaf_sound_argv
from ffrtmp_ray.media.package.sound_cuts import sound_cuts
from ffrtmp_ray.media.package.streams import SoundStream, Stream
from ffrtmp_ray.media.package.write import Samples, write_picture, write_sound
from ffrtmp_ray.media.steps.joining import sound_file
from ffrtmp_ray.media.steps.making import Making, sound_stream
from ffrtmp_ray.media.timing import nearest


async def picture(
    making: Making, joined: Path, path: str, starts: Sequence[int], end: int
) -> Stream:
    """The joined track of a rendition, cut. Raises ValueError where it has no keyframe at one of
    `starts`."""

    def write() -> Stream:
        track = read_track(joined)
        cut = write_picture(joined, track, starts, end, making.staged / path)
        return Stream(path, (track.entry.codec,), track.timescale, cut, len(track.init))

    return await making.step.in_thread(write)


async def sounds(making: Making) -> tuple[SoundStream, ...] | Ended:
    """Each a stream of its own. Raises ValueError where one has nothing to be heard."""
    made = []
    for number, sound in enumerate(making.work.sounds):
        path = making.folder / f"sound{number}.mp4"
        file = sound_file(making.step, sound)
        argv = cmaf_sound_argv(making.step.toolbox.ffmpeg, file, path)
        if (ended := await making.ffmpeg(argv)) is not None:
            return ended
        track = await making.step.in_thread(read_track, path)
        samples = Samples(track, nearest(file.start * track.timescale))
        folder = f"audio/{number}"
        stream = await making.step.in_thread(_cut_sound, making, path, track, samples, folder)
        made.append(sound_stream(making.work.sounds, number, track.entry, stream))
        path.unlink()
    return tuple(made)


def _cut_sound(making: Making, path: Path, track: Track, samples: Samples, folder: str) -> Stream:
    if not samples.sizes:
        raise ValueError("it has nothing to be heard")
    planned = [time * track.timescale for time in making.planned]
    length = making.packaging.segment * track.timescale
    cuts = sound_cuts(samples.begins, samples.end, planned, length)
    cut = write_sound(path, track, samples, cuts, making.staged / folder)
    return Stream(folder, (track.entry.codec,), track.timescale, cut, len(track.init))
