"""A worker's toolbox, what looks into files, and a folder that outputs may go to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from ffrtmp_ray.media.probe.prober import Prober
from ffrtmp_ray.media.toolbox import Toolbox
from ffrtmp_ray.settings import Settings
from tests.media.probing import GIB


@pytest.fixture
async def toolbox(tmp_path: Path) -> AsyncIterator[Toolbox]:
    settings = Settings(
        state_dir=tmp_path / "state",
        input_roots=(Path("/"),),
        output_roots=(tmp_path / "out",),
        encode_cpus=2,
    )
    (tmp_path / "out").mkdir()
    toolbox = Toolbox.open(settings)
    toolbox.start()
    yield toolbox
    toolbox.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
async def prober() -> AsyncIterator[Prober]:
    prober = Prober(memory_bytes=2 * GIB, timeout_seconds=30)
    yield prober
    pids = prober.pids
    prober.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)
