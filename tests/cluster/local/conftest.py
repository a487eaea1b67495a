"""One farm for all tests of this folder: Ray, the scheduler, its workers, and ffmpeg under them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray

from ffrtmp_ray.cluster.actors import NAMESPACE, create_scheduler, end_schedulers
from ffrtmp_ray.cluster.driver import Farm
from ffrtmp_ray.store.open import migrate
from tests.cluster.farms import LocalFarm, quick_settings, until
from tests.cluster.media import make_clip
from tests.support.short_folder import short_folder


@pytest.fixture(scope="package")
def _ray() -> Iterator[Path]:
    """Ray on this machine, with two CPUs, by the folder of its files."""
    with short_folder() as folder:
        try:
            ray.init(
                address="local",
                num_cpus=2,
                namespace=NAMESPACE,
                include_dashboard=False,
                log_to_driver=False,
                _temp_dir=str(folder / "ray"),
            )
            yield folder
        finally:
            ray.shutdown()


@pytest.fixture(scope="package")
def _running(_ray: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFarm]:
    settings = quick_settings(_ray / "state", tmp_path_factory.getbasetemp())
    migrate(settings.database_url)
    create_scheduler(settings)
    farm = Farm(who="test")
    until(lambda: farm.ready().ready, 60)
    yield LocalFarm(farm, settings, _ray / "ray")
    end_schedulers(20)
    farm.close()


@pytest.fixture
def farm(_running: LocalFarm) -> Iterator[LocalFarm]:
    """The folder's farm, ready, with nothing left to do; after each test no ffmpeg is left."""
    until(lambda: _running.farm.ready().ready, 60)
    yield _running
    _running.settle()


@pytest.fixture(scope="package")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", seconds=2)


@pytest.fixture(scope="package")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough that SLOW is still at it when a test has looked."""
    path = tmp_path_factory.mktemp("clips") / "long.mp4"
    return make_clip(path, seconds=20, size="640x360")
