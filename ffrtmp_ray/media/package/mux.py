"""The command line that joins chunks and puts sound beside them, without encoding. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate, pairwise
from pathlib import Path

from ffrtmp_ray.media.encode.light import light_options
from ffrtmp_ray.media.encode.opening import seconds
from ffrtmp_ray.media.encode.work import Light, TextForm
from ffrtmp_ray.media.package.describe import described_by, describing
from ffrtmp_ray.media.spec import Container
from ffrtmp_ray.media.timing import nearest

_SECOND = 1_000_000
"""In microseconds."""
_COPY = ("-c", "copy", *describing(None))
_SOUND_FRAGMENT = 10 * _SECOND
_NEVER = 1_000_000
"""Seconds after which a package of one segment would get another."""
TS_OFFSET = 10
"""Seconds, as Apple's own segmenter has it: more than any sound or picture needs ahead."""
_DEMUXERS = {".mp4": "mov", ".mka": "matroska"}
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
    start: Fraction = Fraction(0)
    """Seconds from then on until its first sample, which ffmpeg takes from all times of a file."""


@dataclass(frozen=True, slots=True)
class Text:
    """Subtitles in a file of their own, whose time zero is the picture's."""

    path: Path
    form: TextForm
    language: str | None = None
    title: str | None = None
    dispositions: tuple[str, ...] = ()
    start: Fraction = Fraction(0)
    """As of `Sound`."""
    fonts: tuple[tuple[Path, str], ...] = ()
    """That it needs, in Matroska, and their media types."""


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
    texts: tuple[Text, ...] = ()
    described: Path | None = None
    """A file that holds `describe.ffmetadata` of what it is to say of itself."""
    light: Light | None = None
    """Stated anew: what chunks say of it in their boxes alone, the concat demuxer forgets."""


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
    argv = [*_opening(ffmpeg), *light_options(work.light), *_listed(work.listing)]
    for sound in work.sounds:
        argv += sound_input(sound)
    for text in work.texts:
        argv += _later(text.start)
        argv += ["-protocol_whitelist", "file", "-f", text.form.value, "-i", str(text.path)]
    argv += described_by(work.described)
    argv += _streams(work)
    inputs = 1 + len(work.sounds) + len(work.texts)
    argv += describing(None if work.described is None else inputs)
    for number, sound in enumerate(work.sounds):
        argv += labels(f"a:{number}", sound.language, sound.title, sound.dispositions)
    for number, text in enumerate(work.texts):
        argv += labels(f"s:{number}", text.language, text.title, text.dispositions)
    argv += _fonts(work.texts)
    if work.container is Container.MP4:
        argv += ["-video_track_timescale", str(work.timescale), "-movflags", "+faststart"]
    return [*argv, "-f", _MUXERS[work.container], "-n", str(work.target)]


def _streams(work: MuxWork) -> list[str]:
    """The output options that take one stream of each input, as it is; but MP4 has a form of its
    own for text."""
    kinds = "v" + "a" * len(work.sounds) + "s" * len(work.texts)
    argv = [word for place, kind in enumerate(kinds) for word in ("-map", f"{place}:{kind}:0")]
    argv += ["-c", "copy"]
    for number, text in enumerate(work.texts):
        if work.container is Container.MP4 and text.form is not TextForm.PACKETS:
            argv += [f"-c:s:{number}", "mov_text"]
    return argv


def _fonts(texts: Sequence[Text]) -> list[str]:
    argv = []
    for number, (path, media_type) in enumerate(font for text in texts for font in text.fonts):
        argv += ["-attach", str(path), f"-metadata:s:t:{number}", f"mimetype={media_type}"]
    return argv


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


def cmaf_argv(ffmpeg: str, listing: Path, timescale: int, target: Path) -> list[str]:
    """Join a rendition's chunks to a CMAF track: a fragment for each keyframe. The header is
    delayed, without which the edit list that puts the first frame at zero is lost."""
    argv = [*_opening(ffmpeg), *_listed(listing), "-map", "0:v:0", *_COPY]
    argv += ["-video_track_timescale", str(timescale)]
    return [*argv, *("-movflags", "+cmaf+delay_moov+frag_keyframe"), *_as_mp4(target)]


def cmaf_sound_argv(ffmpeg: str, sound: Sound, target: Path) -> list[str]:
    """Make a CMAF track of a sound, in long fragments, which `cmaf.sound_segment` cuts anew. It
    begins at zero: when it is heard, its fragments will say."""
    argv = [
        *_opening(ffmpeg),
        *sound_input(replace(sound, start=Fraction(0))),
        "-map",
        "0:a:0",
        *_COPY,
        *labels("a:0", sound.language, sound.title, ()),
    ]
    argv += ["-movflags", "+cmaf+delay_moov", "-frag_duration", str(_SOUND_FRAGMENT)]
    return [*argv, *_as_mp4(target)]


def ts_argv(
    ffmpeg: str, picture: Path | None, sounds: Sequence[Sound], starts: Sequence[int], folder: Path
) -> list[str]:
    """Cut a CMAF track of a picture, with sounds beside it, or sounds alone into transport streams
    `00001.ts`, `00002.ts` … in `folder`. `starts` are in microseconds.

    All times are later by `TS_OFFSET`: without it, ffmpeg would move each stream by what its own
    first frames need to be decoded ahead, and renditions would not lie on each other. One muxer
    writes all segments, so that their continuity counters go on: where they begin anew, players
    take the first packets of a segment for damaged (ISO/IEC 13818-1, 2.4.3.3).
    """
    argv = _opening(ffmpeg)
    if picture is not None:
        argv += ["-protocol_whitelist", "file", "-f", "mov", "-i", str(picture)]
    argv += [word for sound in sounds for word in sound_input(sound)]
    for number in range(len(sounds) + (picture is not None)):
        argv += ["-map", str(number)]
    argv += [*_COPY, "-muxdelay", "0", "-muxpreload", "0", "-output_ts_offset", str(TS_OFFSET)]
    argv += ["-f", "segment", "-segment_format", "mpegts", "-individual_header_trailer", "0"]
    argv += ["-segment_start_number", "1"]
    if len(starts) > 1:
        argv += ["-segment_times", ",".join(f"{each / _SECOND:.6f}" for each in starts[1:])]
    else:
        argv += ["-segment_time", str(_NEVER)]
    return [*argv, "-n", str(folder / "%05d.ts")]


def _opening(ffmpeg: str) -> list[str]:
    return [
        *(ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "level+warning"),
        *("-nostats", "-progress", "pipe:1"),
    ]


def _listed(listing: Path) -> list[str]:
    return ["-protocol_whitelist", "file", "-f", "concat", "-safe", "0", "-i", str(listing)]


def sound_input(sound: Sound) -> list[str]:
    """The options by which a sound is read, and keeps its distance to the picture."""
    demuxer = _DEMUXERS[sound.path.suffix]
    return [
        *_later(sound.start),
        "-protocol_whitelist",
        "file",
        "-f",
        demuxer,
        "-i",
        str(sound.path),
    ]


def _later(start: Fraction) -> list[str]:
    return ["-itsoffset", seconds(start)] if start else []


def _as_mp4(target: Path) -> list[str]:
    return ["-f", "mp4", "-n", str(target)]


def _quoted(path: str) -> str:
    """As ffmpeg's scripts quote (ffmpeg-utils, "Quoting and escaping")."""
    return "'" + path.replace("'", "'\\''") + "'"
