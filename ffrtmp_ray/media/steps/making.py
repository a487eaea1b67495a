"""What the parts of one package share while it is made, and the running of their processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from pathlib import Path

from ffrtmp_ray.media.assignment import Failed, Stopped
from ffrtmp_ray.media.package.entry import SampleEntry
from ffrtmp_ray.media.package.streams import SoundStream, Stream
from ffrtmp_ray.media.plan.payloads import FinishPayload, SoundPayload
from ffrtmp_ray.media.probe.source import TrackLabels
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.spec.packaging import Packaging
from ffrtmp_ray.media.steps.step import Step


@dataclass(frozen=True, slots=True)
class Making:
    step: Step
    work: FinishPayload
    packaging: Packaging
    folder: Path
    """For what is needed on the way."""
    staged: Path
    """Where the package is put together."""

    @property
    def planned(self) -> tuple[Fraction, ...]:
        """When segments begin, in seconds."""
        return tuple(Fraction(tick, self.work.timescale) for tick in self.work.segments)

    async def ffmpeg(self, argv: Sequence[str]) -> Failed | Stopped | None:
        """Run one of the processes, of which each track has two at most."""
        tracks = len(self.work.files) + len(self.work.sounds)
        length = sum(self.work.chunks)
        before = self.step.progress.fraction

        def fraction(progress: ProcessProgress) -> float:
            return before + min(progress.part_of(length), 1.0) / (2 * tracks)

        return await self.step.ffmpeg(argv, fraction)


def sound_stream(
    sounds: Sequence[SoundPayload], number: int, entry: SampleEntry, stream: Stream | None
) -> SoundStream:
    """Of the sound of that number, counted from 0."""
    sound = sounds[number]
    return SoundStream(
        name=names_of(sounds, "sound")[number],
        codec=entry.codec,
        channels=entry.channels,
        rate=entry.rate,
        language=sound.language,
        default="default" in sound.dispositions,
        stream=stream,
    )


def names_of(tracks: Sequence[TrackLabels], otherwise: str) -> list[str]:
    """What players list them by, no two alike: with a number where one is there already."""
    names: list[str] = []
    for number, track in enumerate(tracks, start=1):
        name = track.title or track.language or otherwise
        if name in names:
            name = next(each for n in count(number) if (each := f"{name} {n}") not in names)
        names.append(name)
    return names
