"""The command line that joins chunks and puts sound beside them, without encoding. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

from ffrtmp_ray.media.plan.timing import nearest
from ffrtmp_ray.media.spec import Container

_SECOND = 1_000_000
"""In microseconds."""
_MUXERS = {Container.MP4: "mp4", Container.MKV: "matroska", Container.WEBM: "webm"}


@dataclass(frozen=True, slots=True)
class Part:
    """One chunk of a rendition: a file that starts at time zero."""

    path: Path
    duration: Fraction
    """Seconds from its first frame to the next chunk's, or to the end of the last frame."""


@dataclass(frozen=True, slots=True)
class Sound:
    path: Path
    """A file whose time zero is the picture's."""
    language: str | None = None
    title: str | None = None
    dispositions: tuple[str, ...] = ()
    """ffmpeg's words for what it is meant for."""


@dataclass(frozen=True, slots=True)
class MuxWork:
    """One output file."""

    listing: Path
    """A file that holds `concat_listing` of the parts."""
    sounds: tuple[Sound, ...]
    container: Container
    timescale: int
    """Ticks a second of the video's times, in MP4."""
    target: Path


def concat_listing(parts: Sequence[Part]) -> str:
    """A script for ffmpeg's concat demuxer. The durations, not the files, say where the next part
    begins: a file's own is that of its last packet's guess.

    ffmpeg reads times to the microsecond. What is rounded is where parts begin, so that the error
    of many does not add up; half a microsecond is less than half a tick.
    """
    lines = ["ffconcat version 1.0"]
    durations = (part.duration for part in parts)
    begins = [nearest(time * _SECOND) for time in accumulate(durations, initial=Fraction(0))]
    for part, (begin, end) in zip(parts, pairwise(begins), strict=True):
        seconds, rest = divmod(end - begin, _SECOND)
        lines += [f"file {_quoted(str(part.path))}", f"duration {seconds}.{rest:06d}"]
    return "\n".join(lines) + "\n"


def mux_argv(ffmpeg: str, work: MuxWork) -> list[str]:
    """The whole command line. Prints progress to stdout."""
    argv = [ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "level+warning"]
    argv += ["-nostats", "-progress", "pipe:1"]
    argv += ["-protocol_whitelist", "file", "-f", "concat", "-safe", "0", "-i", str(work.listing)]
    for sound in work.sounds:
        argv += ["-protocol_whitelist", "file", "-f", "mov", "-i", str(sound.path)]
    argv += ["-map", "0:v:0"]
    for number in range(len(work.sounds)):
        argv += ["-map", f"{number + 1}:a:0"]
    argv += ["-c", "copy", "-map_metadata", "-1", "-map_chapters", "-1"]
    for number, sound in enumerate(work.sounds):
        argv += labels(f"a:{number}", sound.language, sound.title, sound.dispositions)
    if work.container is Container.MP4:
        argv += ["-video_track_timescale", str(work.timescale), "-movflags", "+faststart"]
    return [*argv, "-f", _MUXERS[work.container], "-n", str(work.target)]


def labels(
    stream: str, language: str | None, title: str | None, dispositions: Sequence[str]
) -> list[str]:
    """The output options that say of one stream (`a:0`) what it is and for whom."""
    argv = []
    if language is not None:
        argv += [f"-metadata:s:{stream}", f"language={language}"]
    if title is not None:
        argv += [f"-metadata:s:{stream}", f"title={title}"]
    return [*argv, f"-disposition:{stream}", "+".join(dispositions) or "0"]


def _quoted(path: str) -> str:
    """As ffmpeg's scripts quote (ffmpeg-utils, "Quoting and escaping")."""
    return "'" + path.replace("'", "'\\''") + "'"
