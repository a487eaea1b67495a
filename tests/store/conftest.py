from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ffrtmp_ray.store.open import migrate
from ffrtmp_ray.store.protocol import Store
from tests.store.backends import BACKENDS, NEVER, Open, sqlite_url


@pytest.fixture
def sqlite_database(tmp_path: Path) -> str:
    """The URL of a migrated database of the test's own."""
    url = sqlite_url(tmp_path)
    migrate(url)
    return url


@pytest.fixture(params=BACKENDS)
def opened(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens the test's one set of rows, as often as the test likes; closes all in the end."""
    reopen = BACKENDS[request.param](request)
    stores: list[Store] = []

    def open_again(takeover_seconds: float) -> Store:
        stores.append(reopen(takeover_seconds))
        return stores[-1]

    yield open_again
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Open) -> Store:
    return opened(NEVER)


@pytest.fixture
def epoch(store: Store) -> int:
    return store.take_epoch("here", "1.0")
