"""The command line that makes a whole file from its source at once: picture and sound encoded by
one process, into the container that is asked for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ffrtmp_ray.media.encode import audio
from ffrtmp_ray.media.encode.opening import opening
from ffrtmp_ray.media.encode.video import filter_graph, output_options
from ffrtmp_ray.media.encode.work import AudioWork, VideoWork
from ffrtmp_ray.media.package.describe import described_by, describing
from ffrtmp_ray.media.package.mux import labels

_CHANGES = ("-reinit_filter:v", "0", "-drop_changed:a", "1")
"""As of an encode of the picture alone. Sound that changes its channels or its rate is left out
from there on, and ffmpeg says `DROPPED`: its graph, started anew, would begin with silence."""
DROPPED = "Avoiding reinit; dropping frame"
_ANY_NUMBER = ("-max_muxing_queue_size", "1000000")
"""Packets of a stream that wait for the first of the other: no more than a short file has. ffmpeg
gives up at 128 of them, once they are 50 MB."""
_SOUND = "sound"


@dataclass(frozen=True, slots=True)
class DirectSound:
    work: AudioWork
    language: str | None
    title: str | None
    dispositions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DirectWork:
    video: VideoWork
    """Of one output, without a chunk: the whole picture."""
    sound: DirectSound | None
    described: Path | None
    """A file that holds `describe.ffmetadata` of what it is to say of itself."""
    target: Path
    """An MP4."""


def direct_argv(
    ffmpeg: str, source: str, work: DirectWork, *, cpus: int, gpu: int | None
) -> list[str]:
    """The whole command line; `cpus` and `gpu` as of `video_argv`.

    Options of one stream's encoder name its kind: some, like `-maxrate`, mean something to both.
    """
    video, sound = work.video, work.sound
    (output,) = video.outputs
    argv = [*opening(ffmpeg, source, cpus), *_CHANGES, "-i", source]
    argv += [*described_by(work.described), "-filter_complex_threads", str(cpus)]
    argv += ["-filter_complex", filter_graph(video, gpu is not None)]
    if sound is not None:
        argv += ["-filter_complex", audio.filter_graph(sound.work, _SOUND)]
    argv += ["-map", "[out0]", *_each("v", output_options(video, output, cpus, gpu))]
    if sound is not None:
        argv += ["-map", f"[{_SOUND}]", *_each("a", audio.encoder_options(sound.work))]
        argv += labels("a:0", sound.language, sound.title, sound.dispositions)
    argv += [*describing(None if work.described is None else 1), *_ANY_NUMBER]
    argv += ["-video_track_timescale", str(video.timescale), "-movflags", "+faststart"]
    return [*argv, "-f", "mp4", str(work.target)]


def _each(kind: str, options: Sequence[str]) -> list[str]:
    """`options`, names and values in turn, of the stream of that kind alone."""
    names, values = options[::2], options[1::2]
    return [
        word
        for name, value in zip(names, values, strict=True)
        for word in (name if ":" in name else f"{name}:{kind}", value)
    ]
