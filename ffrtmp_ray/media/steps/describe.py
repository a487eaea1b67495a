"""What the outputs say of themselves, written for ffmpeg to read. Part of `finish`."""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.media.package.describe import ffmetadata
from ffrtmp_ray.media.plan.payloads import FinishPayload


def write_described(work: FinishPayload, folder: Path) -> Path | None:
    """The file in `folder` that holds it; None where nothing is to be said."""
    if not work.described.tags and not work.described.chapters:
        return None
    path = folder / "described.ffmetadata"
    path.write_text(ffmetadata(work.described), "utf-8")
    return path
