"""Take the packets of one sound as they are, once for all renditions. Part of `audio`."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Ended, Failed, Succeeded
from ffrtmp_ray.media.encode.sound_copy import sound_copy_argv
from ffrtmp_ray.media.encode.work import SoundCopy
from ffrtmp_ray.media.plan.payloads import AudioPayload
from ffrtmp_ray.media.probe.source import SoundPackets
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.spec import Verify
from ffrtmp_ray.media.steps.decoding import undecodable
from ffrtmp_ray.media.steps.step import Step


async def make(step: Step, work: AudioPayload, copy: SoundCopy, folder: Path) -> Ended | None:
    """None where it is to be encoded instead, since packets are missing or cannot be decoded."""
    path = folder / f"copy.{copy.container}"

    def fraction(progress: ProcessProgress) -> float:
        return progress.part_of(work.duration)

    async with step.open_input(work.input) as source:
        argv = sound_copy_argv(
            step.toolbox.ffmpeg, source.address, work.audio, copy, output=str(path)
        )
        if (ended := await step.ffmpeg(argv, fraction)) is not None:
            return ended
    each = Fraction(copy.frame_samples, work.audio.source_rate) or None
    found = await step.toolbox.prober.sound_packets(path, each)
    if isinstance(found, Failure):
        return Failed(found) if copy.required else None
    if not copy.required and (found.missing or not found.packets):
        return None
    if not found.packets:
        reason = f"nothing is heard of stream {work.audio.stream}, which is to be copied"
        return Failed(Failure(FailureKind.BAD_INPUT, reason))
    if work.verify is Verify.FULL and (ended := await undecodable(step, path)) is not None:
        return None if isinstance(ended, Failed) and not copy.required else ended
    return Succeeded(
        {
            "path": step.toolbox.workspace.relative(path),
            "start": str(found.start),
            "warnings": list(_said(work, found)),
        }
    )


def _said(work: AudioPayload, found: SoundPackets) -> Iterator[str]:
    if found.missing:
        yield (
            f"the copied sound of stream {work.audio.stream} lacks {float(found.missing):.2f} s "
            "between its packets, which some players leave out"
        )
