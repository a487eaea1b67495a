"""What a module's tests of one actor, or of Ray alone, share."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ffrtmp_ray.settings import Settings
from tests.cluster.farms import quick_settings


@pytest.fixture(scope="module")
def ray_dir() -> Iterator[Path]:
    """A short path: Ray's sockets lie below it."""
    path = Path(tempfile.mkdtemp(prefix="ff", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="module")
def settings(ray_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return quick_settings(ray_dir / "state", tmp_path_factory.getbasetemp())
