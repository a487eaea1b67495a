"""What a file says of itself, on its way into ffmpeg: a file of its own form, since nothing that a
user or a source says may become an option. Pure."""

from __future__ import annotations

import re
from pathlib import Path

from ffrtmp_ray.media.plan.payloads import Described
from ffrtmp_ray.media.timing import nearest

_MICROSECONDS = 1_000_000


def ffmetadata(described: Described) -> str:
    """ffmpeg's metadata format, version 1 (ffmpeg-formats, "Metadata")."""
    lines = [";FFMETADATA1"]
    lines += [f"{name}={_escaped(value)}" for name, value in described.tags.items()]
    for chapter in described.chapters:
        lines += [
            "[CHAPTER]",
            f"TIMEBASE=1/{_MICROSECONDS}",
            f"START={nearest(chapter.start * _MICROSECONDS)}",
            f"END={nearest(chapter.end * _MICROSECONDS)}",
            f"title={_escaped(chapter.title)}",
        ]
    return "\n".join(lines) + "\n"


def described_by(file: Path | None) -> list[str]:
    """The input that holds it."""
    if file is None:
        return []
    return ["-protocol_whitelist", "file", "-f", "ffmetadata", "-i", str(file)]


def describing(number: int | None) -> list[str]:
    """Output options that take tags and chapters from the input of that number, None from none, and
    nothing else from anywhere."""
    if number is None:
        return ["-map_metadata", "-1", "-map_chapters", "-1"]
    chapters = ("-map_chapters", str(number))
    return ["-map_metadata:g", f"{number}:g", "-map_metadata:s", "-1", *chapters]


def _escaped(text: str) -> str:
    return re.sub(r"([=;#\\\n])", r"\\\1", text)
