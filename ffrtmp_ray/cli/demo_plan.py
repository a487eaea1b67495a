"""What `ffrtmp demo` asks of the farm: a mix of jobs, and one that cannot be done. Does nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ffrtmp_ray.core.model import Priority, Queue
from ffrtmp_ray.media.spec import JobSpec


@dataclass(frozen=True, slots=True)
class Wanted:
    """One job, to be made of the clip at place `clip` (counted round when there are fewer)."""

    clip: int
    preset: str
    suffix: str
    """Of the output; empty for a folder."""
    queue: Queue
    priority: Priority


MIX = (
    Wanted(0, "archive", ".mkv", Queue.BATCH, Priority.LOW),
    Wanted(0, "ladder-h264", "", Queue.DEFAULT, Priority.MEDIUM),
    Wanted(0, "av1-1080p", ".mp4", Queue.BATCH, Priority.MEDIUM),
    Wanted(1, "vp9-720p", ".webm", Queue.DEFAULT, Priority.LOW),
    Wanted(1, "hevc-1080p", ".mp4", Queue.DEFAULT, Priority.HIGH),
    Wanted(2, "h264-480p", ".mkv", Queue.BATCH, Priority.HIGH),
    Wanted(0, "web", ".mp4", Queue.LIVE, Priority.MEDIUM),
    Wanted(2, "av1-1080p", ".webm", Queue.LIVE, Priority.HIGH),
)
"""Every queue, priority, codec and container; the urgent ones last, so that they overtake."""


def specs(clips: list[Path], outputs: Path) -> list[JobSpec]:
    """The mix, of `clips`, into the folder `outputs`."""
    made = []
    for number, wanted in enumerate(MIX, start=1):
        clip = clips[wanted.clip % len(clips)]
        name = f"{number}-{clip.stem}-{wanted.preset}{wanted.suffix}"
        made.append(
            JobSpec(
                input=str(clip),
                output=str(outputs / name),
                preset=wanted.preset,
                queue=wanted.queue,
                priority=wanted.priority,
                owner="demo",
            )
        )
    return made


def impossible(folder: Path, outputs: Path) -> JobSpec:
    """A job whose input is a text file with a film's name, written to `folder`."""
    text = folder / "not-a-film.mp4"
    text.write_text("This is a text file, whatever its name says.\n" * 10)
    return JobSpec(
        input=str(text), output=str(outputs / "not-a-film.mp4"), preset="web", owner="demo"
    )
