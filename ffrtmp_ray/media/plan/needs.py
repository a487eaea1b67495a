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
        return Needs((_on_gpu(outputs),))
    on_cpus = _on_cpus(wanted, encode_cpus)
    if gpu is GpuUse.PREFER and gpu_makes(outputs):
        return Needs((_on_gpu(outputs), *on_cpus))
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


GPU_CONTEXT_MIB = 256
"""Of GPU memory: what one process has of CUDA and NVENC before it encodes anything."""
GPU_SURFACES = 32
"""Pictures that one encoder keeps in GPU memory at most: those that ffmpeg's nvenc takes with
look-ahead and B-frames, each with its reconstruction. An estimate on the safe side."""


def _on_gpu(outputs: Sequence[OutputWork]) -> Requirement:
    """One session for each output. The CPU is for decoding and scaling."""
    pictures = sum(output.width * output.height for output in outputs)
    # 4:2:0 has half as much chroma as luma, and 10 bits take two bytes.
    surfaces = GPU_SURFACES * pictures * 3 // 2 * 2
    memory = GPU_CONTEXT_MIB + -(-surfaces // 1024**2)
    codecs = frozenset(output.rendition.codec for output in outputs)
    resources = Resources(cpus=1, gpu_sessions=len(outputs), gpu_memory_mib=memory)
    return Requirement(resources, _names(codecs, gpu=True))


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
