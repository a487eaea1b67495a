"""The command line that puts sounds into a file of their own, without encoding. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ffrtmp_ray.media.package.describe import described_by, describing
from ffrtmp_ray.media.package.mux import Sound, labels, sound_input
from ffrtmp_ray.media.spec import Container

_MUXERS: Mapping[Container, str] = {
    Container.MP4: "mp4",
    Container.M4A: "ipod",
    Container.MKV: "matroska",
    Container.MKA: "matroska",
    Container.WEBM: "webm",
    Container.OPUS: "opus",
    Container.OGG: "ogg",
    Container.MP3: "mp3",
    Container.FLAC: "flac",
    Container.WAV: "wav",
}
_OPTIONS: Mapping[Container, tuple[str, ...]] = {
    Container.MP4: ("-movflags", "+faststart"),
    Container.M4A: ("-movflags", "+faststart"),
    Container.MP3: ("-id3v2_version", "3"),  # Windows reads no later one
    Container.WAV: ("-rf64", "auto"),  # over 4 GB, sizes have 64 bits (EBU Tech 3306)
}


def sound_mux_argv(
    ffmpeg: str,
    sounds: Sequence[Sound],
    container: Container,
    target: Path,
    described: Path | None = None,
) -> list[str]:
    """The whole command line. Prints progress to stdout."""
    argv = [ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "level+warning"]
    argv += ["-nostats", "-progress", "pipe:1"]
    for sound in sounds:
        argv += sound_input(sound)
    argv += described_by(described)
    for number in range(len(sounds)):
        argv += ["-map", f"{number}:a:0"]
    argv += ["-c", "copy", *describing(None if described is None else len(sounds))]
    for number, sound in enumerate(sounds):
        argv += labels(f"a:{number}", sound.language, sound.title, sound.dispositions)
    return [*argv, *_OPTIONS.get(container, ()), "-f", _MUXERS[container], "-n", str(target)]
