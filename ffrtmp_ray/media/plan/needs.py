"""What the tasks of a job ask of a worker. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ffrtmp_ray.core.model import Needs, Requirement, Resources
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.encoders import encoder_for
from ffrtmp_ray.media.spec import Codec, GpuUse

PLAN = Needs((Requirement(Resources(plan_slots=1)),))
"""Of planning and publishing: a moment's work, which never waits for CPUs."""
LIGHT = Needs((Requirement(Resources(light_slots=1)),))
"""Of audio and finishing: a fraction of a CPU beside the encodes."""


def encode_needs(outputs: Sequence[OutputWork], gpu: GpuUse, encode_cpus: int) -> Needs:
    """Of one encode that makes all `outputs` at once, the best way first.

    Raises InvalidRequest when a GPU is required and none makes one of the codecs.
    """
    wanted = frozenset(output.rendition.codec for output in outputs)
    if gpu is GpuUse.REQUIRE:
        return Needs((_on_gpu(wanted),))
    on_cpus = _on_cpus(wanted, encode_cpus)
    if gpu is GpuUse.PREFER and gpu_makes(outputs):
        return Needs((_on_gpu(wanted), *on_cpus))
    return Needs(on_cpus)


def gpu_makes(outputs: Iterable[OutputWork]) -> bool:
    """Whether there is an encoder for each, at its size, on some GPU."""
    try:
        return all(
            encoder_for(output.rendition.codec, gpu=True).fits(output.width, output.height)
            for output in outputs
        )
    except InvalidRequest:
        return False


def _on_gpu(codecs: frozenset[Codec]) -> Requirement:
    """The CPU is for decoding and scaling."""
    return Requirement(Resources(gpus=1, cpus=1), _names(codecs, gpu=True))


def _on_cpus(codecs: frozenset[Codec], most: int) -> tuple[Requirement, ...]:
    """So many CPUs, else half of them, and so on down to one."""
    names = _names(codecs, gpu=False)
    steps = []
    cpus = most
    while cpus >= 1:
        steps.append(Requirement(Resources(cpus=cpus), names))
        cpus //= 2
    return tuple(steps)


def _names(codecs: frozenset[Codec], *, gpu: bool) -> frozenset[str]:
    return frozenset(encoder_for(codec, gpu).name for codec in codecs)
