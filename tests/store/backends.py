"""Every kind of store, for the tests that all of them must pass. A new kind is one line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from ffrtmp_ray.store.memory import MemoryStore, Rows
from ffrtmp_ray.store.open import open_store
from ffrtmp_ray.store.protocol import Store

NEVER = 3600.0
"""A takeover time that no test lives to see."""

Open: TypeAlias = Callable[[float], Store]
"""Opens the same rows once more, with that takeover time in seconds: what a scheduler does that
is started again, or on another machine."""


def _memory(_request: pytest.FixtureRequest) -> Open:
    rows = Rows()
    return lambda takeover_seconds: MemoryStore(rows, takeover_seconds=takeover_seconds)


def _sqlite(request: pytest.FixtureRequest) -> Open:
    return _database(request.getfixturevalue("sqlite_database"))


def _postgresql(request: pytest.FixtureRequest) -> Open:
    return _database(request.getfixturevalue("postgresql_database"))


def _database(url: str) -> Open:
    return lambda takeover_seconds: open_store(url, takeover_seconds=takeover_seconds)


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'ffrtmp.db'}"


BACKENDS: dict[str, Callable[[pytest.FixtureRequest], Open]] = {
    "memory": _memory,
    "sqlite": _sqlite,
    "postgresql": _postgresql,
}
