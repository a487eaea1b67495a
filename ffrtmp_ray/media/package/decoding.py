"""The command line that decodes all of a file, and ends at the first error. Pure."""

from __future__ import annotations

from pathlib import Path


def decode_argv(ffmpeg: str, path: Path, cpus: int) -> list[str]:
    """Of an MP4 that we have made. Prints progress, with the number of frames, to stdout."""
    return [
        *(ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "level+warning"),
        *("-nostats", "-progress", "pipe:1", "-xerror"),
        *("-threads", str(cpus), "-err_detect", "explode"),
        *("-protocol_whitelist", "file", "-f", "mov", "-i", str(path)),
        *("-map", "0", "-fps_mode", "passthrough", "-f", "null", "-"),
    ]
