"""How the scheduler's process is made: by that the engine is fast."""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray import compiled
from ffrtmp_ray.cluster.collector import IN_LARGE_PAGES
from tests.cluster.farms import LocalFarm


def test_the_scheduler_asks_for_large_pages(farm: LocalFarm) -> None:
    process = farm.scheduler()
    assert IN_LARGE_PAGES.items() <= process.environ().items()
    flags = [
        line
        for line in Path(f"/proc/{process.pid}/smaps").read_text().splitlines()
        if line.startswith("VmFlags:")
    ]
    assert any("hg" in line.split() for line in flags), "some memory is marked for them"


def test_the_scheduler_runs_the_engine_as_it_was_built(farm: LocalFarm) -> None:
    maps = Path(f"/proc/{farm.scheduler().pid}/maps").read_text()
    assert (str(compiled.folder()) in maps) is (compiled.form() == "compiled")
