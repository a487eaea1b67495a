"""One file of sounds alone, of those that were encoded. Part of `finish`."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Ended, Failed
from ffrtmp_ray.media.package.sound_mux import sound_mux_argv
from ffrtmp_ray.media.plan.payloads import FinishPayload
from ffrtmp_ray.media.probe.source import SoundSource
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.steps.describe import write_described
from ffrtmp_ray.media.steps.joining import sound_file
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.media.steps.words import sounds_in_words
from ffrtmp_ray.views import OutputView

_NEAR = Fraction(1, 10)
"""Seconds by which the file may be shorter or longer than the longest sound: a container's
milliseconds, and where it ends within a packet."""
_LONGEST_FRAME = 1152
"""Samples of a frame, in MP3 (AAC has 1,024): of the last one some containers count the part alone
that is heard."""


async def make(
    step: Step, work: FinishPayload, folder: Path, staged: Path
) -> tuple[OutputView, ...] | Ended:
    """The file at `staged`, as it will be seen; `folder` is for what is needed on the way."""
    sounds = [sound_file(step, each) for each in work.sounds]
    parts = []
    for sound in sounds:
        part = await step.toolbox.prober.listen(sound.path)
        if isinstance(part, Failure):
            return Failed(part)
        parts.append(part)
    longest = max(part.end for part in parts)

    def fraction(progress: ProcessProgress) -> float:
        return progress.part_of(longest)

    described = await step.in_thread(write_described, work, folder)
    argv = sound_mux_argv(step.toolbox.ffmpeg, sounds, work.container, staged, described)
    if (ended := await step.ffmpeg(argv, fraction)) is not None:
        return ended
    found = await step.toolbox.prober.listen(staged)
    if isinstance(found, Failure):
        return Failed(Failure(FailureKind.INEXACT, f"it cannot be used: {found.reason}"))
    if wrong := _faults(found, [sound.codec for sound in work.sounds], longest):
        return Failed(Failure(FailureKind.INEXACT, f"it is not right: {'; '.join(wrong)}"))
    return (
        OutputView(
            path=work.target,
            bytes=found.bytes,
            duration_seconds=round(float(found.duration), 6),
            audio=sounds_in_words(found.audio),
        ),
    )


def _faults(found: SoundSource, codecs: Sequence[str], longest: Fraction) -> list[str]:
    """What is not as it was encoded, each as a clause."""
    wrong = []
    have = [sound.codec for sound in found.audio]
    if have != list(codecs):
        wrong.append(f"the sound is {', '.join(have)}, not {', '.join(codecs)}")
    near = _NEAR + Fraction(_LONGEST_FRAME, min(sound.sample_rate for sound in found.audio))
    if abs(found.end - longest) > near:
        wrong.append(f"it ends at {float(found.end):.3f} s, not at {float(longest):.3f} s")
    return wrong
