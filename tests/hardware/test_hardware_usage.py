"""How busy a machine is read to be; NVML is played by a fake, as no GPU can be asked for."""

import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import psutil
import pynvml  # type: ignore[import-untyped]  # it ships no types
import pytest
from msgspec.structs import replace

from ffrtmp_ray.core.model import GpuUsage
from ffrtmp_ray.hardware.gpus import GpuReader, smallest_memory_mib
from ffrtmp_ray.hardware.usage import CpuTimes, UsageReader, cpu_percent

MIB = 1024**2


class NvmlError(Exception):
    pass


class FakeNvml:
    """NVML with two GPUs; `refused` names the functions that fail, for one GPU or for all."""

    NVMLError = NvmlError
    NVML_TEMPERATURE_GPU = 0

    def __init__(self, *refused: str) -> None:
        self.refused = set(refused)

    def _answer(self, function: str, handle: object, value: Any) -> Any:
        if {function, f"{function}({handle})"} & self.refused:
            raise NvmlError
        return value

    def nvmlInit(self) -> None:  # noqa: N802  # NVML's own names, here and below
        self._answer("init", None, None)

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> str:  # noqa: N802
        return f"gpu{index}"

    def nvmlDeviceGetName(self, handle: str) -> str:  # noqa: N802
        return str(self._answer("name", handle, "NVIDIA L4"))

    def nvmlDeviceGetUtilizationRates(self, handle: str) -> Any:  # noqa: N802
        return self._answer("rates", handle, SimpleNamespace(gpu=40, memory=10))

    def nvmlDeviceGetEncoderUtilization(self, handle: str) -> Any:  # noqa: N802
        return self._answer("encoder", handle, [70, 167_000])

    def nvmlDeviceGetMemoryInfo(self, handle: str) -> Any:  # noqa: N802
        return self._answer("memory", handle, SimpleNamespace(used=2 * MIB, total=8 * MIB, free=0))

    def nvmlDeviceGetTemperature(self, handle: str, sensor: int) -> Any:  # noqa: N802
        assert sensor == self.NVML_TEMPERATURE_GPU
        return self._answer("temperature", handle, 61)

    def nvmlDeviceGetPowerUsage(self, handle: str) -> Any:  # noqa: N802
        return self._answer("power", handle, 43_210)


def full(index: int) -> GpuUsage:
    return GpuUsage(
        index=index,
        name="NVIDIA L4",
        utilization_percent=40.0,
        encoder_percent=70.0,
        memory_used_bytes=2 * MIB,
        memory_total_bytes=8 * MIB,
        temperature_celsius=61.0,
        power_watts=43.21,
    )


# ------------------------------------------------------------------------------ GPUs


def test_every_gpu_is_read_with_its_units() -> None:
    assert GpuReader(FakeNvml()).read() == (full(0), full(1))


def test_what_a_gpu_cannot_say_is_none_or_zero() -> None:
    reader = GpuReader(FakeNvml("rates", "encoder", "temperature", "power"))
    first = reader.read()[0]
    assert (first.utilization_percent, first.encoder_percent) == (0.0, 0.0)
    assert (first.temperature_celsius, first.power_watts) == (None, None)
    assert first.memory_total_bytes == 8 * MIB


def test_a_gpu_that_is_lost_is_left_out_and_the_others_keep_their_numbers() -> None:
    nvml = FakeNvml()
    reader = GpuReader(nvml)
    nvml.refused.add("memory(gpu0)")
    assert reader.read() == (full(1),)


def test_without_a_driver_there_are_no_gpus() -> None:
    assert GpuReader(FakeNvml("init")).read() == ()


# ------------------------------------------------------------------------------ CPUs and memory


@pytest.mark.parametrize(
    ("busy", "total", "percent"),
    [(5, 20, 25.0), (20, 20, 100.0), (0, 20, 0.0), (0, 0, 0.0), (-1, 20, 0.0)],
)
def test_cpu_use_is_the_busy_share_of_the_time_between(
    busy: float, total: float, percent: float
) -> None:
    assert cpu_percent(CpuTimes(100, 1000), CpuTimes(100 + busy, 1000 + total)) == percent


def test_a_reading_has_everything_within_its_bounds() -> None:
    usage = UsageReader(GpuReader(FakeNvml())).read()
    assert 0 <= usage.cpu_percent <= 100
    assert 0 < usage.memory_used_bytes < usage.memory_total_bytes
    assert usage.memory_total_bytes == psutil.virtual_memory().total
    assert usage.load_1m >= 0
    assert usage.gpus == (full(0), full(1))


def test_work_shows_as_cpu_use() -> None:
    reader = UsageReader(GpuReader(FakeNvml("init")))
    before = psutil.Process().cpu_times()
    while psutil.Process().cpu_times().user - before.user < 0.3:
        sum(range(100_000))
    assert reader.read().cpu_percent > 0


def test_a_workers_memory_counts_the_processes_that_it_started() -> None:
    reader = UsageReader(GpuReader(FakeNvml("init")))
    alone = reader.read().worker_memory_bytes
    script = "held = bytearray(b'x' * 100 * 2**20); print('ready', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert reader.read().worker_memory_bytes - alone > 100 * MIB
        child.kill()


def test_a_machine_without_a_gpu_is_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", missing)
    assert UsageReader().read().gpus == ()


def test_a_worker_reckons_with_the_smallest_gpu_of_its_machine() -> None:
    large, small = full(0), replace(full(1), memory_total_bytes=8 * 1024**3)
    assert smallest_memory_mib([large, small]) == 8
    assert smallest_memory_mib([]) is None
