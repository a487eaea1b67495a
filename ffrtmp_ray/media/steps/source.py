"""Is a source still the file that was planned?"""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.media.plan.payloads import InputFile


def changed(file: InputFile) -> bool:
    """Whether it is another one by now: chunks of two are no picture. Raises OSError."""
    now = Path(file.path).stat()
    return (now.st_size, now.st_mtime_ns) != (file.bytes, file.modified_ns)
