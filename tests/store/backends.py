"""Every kind of store, for the tests that all of them must pass. A new kind is one line here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from ffrtmp_ray.store.memory import MemoryStore, Rows
from ffrtmp_ray.store.open import migrate, open_store
from ffrtmp_ray.store.protocol import Store

NEVER = 3600.0
"""A takeover time that no test lives to see."""

Open: TypeAlias = Callable[[float], Store]
"""Opens the same rows once more, with that takeover time in seconds: what a scheduler does that
is started again, or on another machine."""


def _memory(_folder: Path) -> Open:
    rows = Rows()
    return lambda takeover_seconds: MemoryStore(rows, takeover_seconds=takeover_seconds)


def _sqlite(folder: Path) -> Open:
    url = sqlite_url(folder)
    migrate(url)
    return lambda takeover_seconds: open_store(url, takeover_seconds=takeover_seconds)


def sqlite_url(folder: Path) -> str:
    return f"sqlite:///{folder / 'ffrtmp.db'}"


BACKENDS: dict[str, Callable[[Path], Open]] = {"memory": _memory, "sqlite": _sqlite}
