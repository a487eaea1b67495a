"""A real farm on one machine: Ray, the scheduler, its workers, and ffmpeg under them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from ffrtmp_ray.cluster.actors import NAMESPACE, create_scheduler, find_scheduler, kill
from ffrtmp_ray.cluster.driver import Farm
from ffrtmp_ray.settings import Settings
from tests.cluster.farms import LocalFarm, quick_settings, until


@pytest.fixture(scope="module")
def ray_dir() -> Iterator[Path]:
    """A short path: Ray's sockets lie below it."""
    path = Path(tempfile.mkdtemp(prefix="ff", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def settings(ray_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return quick_settings(ray_dir / "state", tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def cluster(ray_dir: Path) -> Iterator[None]:
    """Ray on this machine, with two CPUs, of this test module alone."""
    ray.init(
        address="local",
        num_cpus=2,
        namespace=NAMESPACE,
        include_dashboard=False,
        log_to_driver=False,
        _temp_dir=str(ray_dir / "ray"),
    )
    yield
    ray.shutdown()


@pytest.fixture(scope="module")
def _running(cluster: None, ray_dir: Path, settings: Settings) -> Iterator[LocalFarm]:
    from ffrtmp_ray.store.open import migrate

    migrate(settings.database_url)
    create_scheduler(settings)
    farm = Farm(who="test")
    until(lambda: farm.ready().ready, 60)
    yield LocalFarm(farm, settings, ray_dir / "ray")
    scheduler = find_scheduler()
    ray.get(scheduler.end.remote(), timeout=20)
    kill(scheduler)
    farm.close()


@pytest.fixture
def farm(_running: LocalFarm) -> Iterator[LocalFarm]:
    """The module's farm, ready, with nothing left to do; after each test no ffmpeg is left."""
    until(lambda: _running.farm.ready().ready, 60)
    yield _running
    _running.settle()
