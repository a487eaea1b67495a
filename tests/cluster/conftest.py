"""What a module's tests of one actor, or of Ray alone, share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ffrtmp_ray.settings import Settings
from tests.cluster.farms import quick_settings
from tests.support.short_folder import short_folder


@pytest.fixture(scope="module")
def ray_dir() -> Iterator[Path]:
    """A short path: Ray's sockets lie below it."""
    with short_folder() as path:
        yield path


@pytest.fixture(scope="module")
def settings(ray_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return quick_settings(ray_dir / "state", tmp_path_factory.getbasetemp())
