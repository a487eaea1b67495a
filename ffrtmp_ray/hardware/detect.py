"""Finds out which encoders work on a device by encoding something with each, and whether there
is a libvmaf to measure with.

A device's name, or a list of compiled-in encoders, says nothing about drivers, sessions and
licences; a trial does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from ffrtmp_ray.media.audio_encoders import AUDIO_ENCODERS
from ffrtmp_ray.media.encoders import ENCODERS, Encoder, Picture
from ffrtmp_ray.media.process.failures import classify
from ffrtmp_ray.media.process.runner import ProcessGroup
from ffrtmp_ray.media.quality.compare import LIBVMAF, trial_graph
from ffrtmp_ray.media.spec import Effort, Rendition

TRIALS_AT_A_TIME = 4
TRIAL_SECONDS = 60.0
"""For one trial; takes well under a second on an idle machine."""

_PICTURE = Picture(width=320, height=240, bit_depth=8, frame_rate=Fraction(25))
"""Above the smallest that NVENC takes."""
_PICTURE_INPUT = ("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=0.2")
_SOUND_INPUT = ("-f", "lavfi", "-i", "sine=duration=0.1")


@dataclass(frozen=True, slots=True)
class Detection:
    capabilities: frozenset[str]
    """Names of the encoders and filters that work, ffmpeg's own."""
    refusals: Mapping[str, str]
    """Why each of the others does not, in a sentence."""


async def capabilities(ffmpeg: str, gpu: int | None) -> Detection:
    """Try every encoder of a device: the GPU of that index, or the CPUs when `gpu` is None.

    Encoders of sound, and libvmaf, work on CPUs. Raises MachineError when no process can be
    started.
    """
    trials = _gpu_trials(gpu) if gpu is not None else _cpu_trials()
    room = asyncio.Semaphore(TRIALS_AT_A_TIME)

    async def tried(arguments: list[str]) -> str | None:
        async with room:
            return await _refusal(ffmpeg, arguments)

    found = await asyncio.gather(*(tried(arguments) for arguments in trials.values()))
    refusals = {name: why for name, why in zip(trials, found, strict=True) if why is not None}
    return Detection(frozenset(trials) - frozenset(refusals), refusals)


def _cpu_trials() -> dict[str, list[str]]:
    """ffmpeg's arguments for each encoder and filter, by its name."""
    pictures = {each.name: _picture_trial(each, None) for each in ENCODERS if not each.gpu}
    sounds = {each.name: [*_SOUND_INPUT, "-c:a", each.name] for each in AUDIO_ENCODERS.values()}
    return pictures | sounds | {LIBVMAF: [*_PICTURE_INPUT, "-lavfi", trial_graph()]}


def _gpu_trials(gpu: int) -> dict[str, list[str]]:
    return {each.name: _picture_trial(each, gpu) for each in ENCODERS if each.gpu}


def _picture_trial(encoder: Encoder, gpu: int | None) -> list[str]:
    rendition = Rendition(name="trial", codec=encoder.codec, crf=30, effort=Effort.FAST)
    return [*_PICTURE_INPUT, *encoder.arguments(rendition, _PICTURE, cpus=1, gpu=gpu)]


async def _refusal(ffmpeg: str, arguments: list[str]) -> str | None:
    """Why an encoder or filter does not work; None when it does."""
    processes = ProcessGroup(
        stall_seconds=TRIAL_SECONDS, grace_seconds=0.5, timeout_seconds=TRIAL_SECONDS
    )
    argv = [ffmpeg, "-nostdin", "-hide_banner", "-loglevel", "level+warning"]
    end = await processes.run([*argv, *arguments, "-f", "null", "-"])
    return None if end.code == 0 else classify(end).reason
