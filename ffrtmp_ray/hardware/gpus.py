"""The GPUs of this machine as NVIDIA's library (NVML) shows them; none where it is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import pynvml  # type: ignore[import-untyped]  # it ships no types

from ffrtmp_ray.core.model import GpuUsage

T = TypeVar("T")


class GpuReader:
    """Reads how busy the GPUs are. A reading takes about a millisecond a GPU.

    `nvml` is the module `pynvml`, or something that stands for it. Indexes are NVML's: in the
    order of the PCI bus, and `CUDA_VISIBLE_DEVICES` does not change them.
    """

    def __init__(self, nvml: Any = pynvml) -> None:
        self._nvml = nvml
        self._handles = _handles(nvml)

    def read(self) -> tuple[GpuUsage, ...]:
        """Every GPU that answers; one that has fallen off the bus is left out."""
        found = (self._read_one(index, handle) for index, handle in enumerate(self._handles))
        return tuple(usage for usage in found if usage is not None)

    def _read_one(self, index: int, handle: Any) -> GpuUsage | None:
        nvml = self._nvml
        memory = self._ask(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        name = self._ask(lambda: nvml.nvmlDeviceGetName(handle))
        if memory is None or name is None:
            return None
        rates = self._ask(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
        encoder = self._ask(lambda: nvml.nvmlDeviceGetEncoderUtilization(handle))
        milliwatts = self._ask(lambda: nvml.nvmlDeviceGetPowerUsage(handle))
        celsius = self._ask(
            lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)
        )
        return GpuUsage(
            index=index,
            name=str(name),
            utilization_percent=0.0 if rates is None else float(rates.gpu),
            encoder_percent=0.0 if encoder is None else float(encoder[0]),
            memory_used_bytes=int(memory.used),
            memory_total_bytes=int(memory.total),
            temperature_celsius=None if celsius is None else float(celsius),
            power_watts=None if milliwatts is None else milliwatts / 1000,
        )

    def _ask(self, question: Callable[[], T]) -> T | None:
        """An answer of NVML; None for what this GPU cannot say (a slice of one says little)."""
        try:
            return question()
        except self._nvml.NVMLError:
            return None


def smallest_memory_mib(gpus: Iterable[GpuUsage]) -> int | None:
    """Of the GPUs of a machine, which are mostly of one kind: a worker does not know which of
    them it was given. None when nothing is known of any."""
    return min((gpu.memory_total_bytes // 1024**2 for gpu in gpus), default=None)


def _handles(nvml: Any) -> list[Any]:
    try:
        nvml.nvmlInit()
        count = nvml.nvmlDeviceGetCount()
        return [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
    except nvml.NVMLError:  # no driver, no GPU
        return []
