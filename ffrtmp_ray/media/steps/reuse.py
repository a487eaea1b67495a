"""Chunks that are finished already, by whichever job: found before an encode, kept after it.

Only jobs that are cut keep theirs. A chunk is never taken unseen.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Ended, Failed
from ffrtmp_ray.media.encode.address import address_of
from ffrtmp_ray.media.plan.payloads import EncodePayload
from ffrtmp_ray.media.probe.source import Source
from ffrtmp_ray.media.steps.exactness import expected_of, fault_of
from ffrtmp_ray.media.steps.step import Step


async def addresses(step: Step, work: EncodePayload) -> dict[str, str]:
    """Of each rendition of the chunk, by its name; empty where chunks are not kept."""
    if work.plan is None or not step.toolbox.settings.chunk_store_bytes:
        return {}
    version = await step.toolbox.ffmpeg_version()
    gpu = step.assignment.gpu is not None
    return {
        output.rendition.name: address_of(
            work.input.fingerprint, work.video, output, version, gpu=gpu
        )
        for output in work.video.outputs
    }


async def take(
    step: Step, work: EncodePayload, addresses: Mapping[str, str], paths: Mapping[str, Path]
) -> dict[str, Source]:
    """Put what is kept at `paths`, and say what it is. What is not as it should be, as a machine
    that crashed may leave it, is forgotten."""
    made = {}
    for name, address in addresses.items():
        taken = await step.in_thread(step.toolbox.chunks.take, address, paths[name], time.time())
        if not taken:
            continue
        found = await step.toolbox.prober.probe(paths[name])
        if isinstance(found, Failure) or fault_of(work, expected_of(work), {name: found.video}):
            await step.in_thread(step.toolbox.chunks.drop, address)
            await step.in_thread(paths[name].unlink)
        else:
            made[name] = found
    return made


async def keep(step: Step, addresses: Mapping[str, str], paths: Mapping[str, Path]) -> None:
    """Keep the finished files at `paths` for others."""
    for name in addresses.keys() & paths.keys():
        try:
            await step.in_thread(step.toolbox.chunks.add, addresses[name], paths[name], time.time())
        except OSError:  # a full disk: then others make it again, and this job has it still
            await step.in_thread(step.toolbox.chunks.clear)


async def drop(step: Step, addresses: Mapping[str, str]) -> None:
    """Keep them no longer."""
    for address in addresses.values():
        await step.in_thread(step.toolbox.chunks.drop, address)


async def make_room(step: Step, ended: Ended) -> None:
    """Give up all that is kept when an encode has failed for want of room."""
    if isinstance(ended, Failed) and ended.failure.kind is FailureKind.OUT_OF_DISK:
        await step.in_thread(step.toolbox.chunks.clear)
