"""Folders with short paths, for tests that start Ray: sockets lie below them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.waiting import until


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder that goes with all that is in it, also what Ray's processes write while they end."""
    folder = Path(tempfile.mkdtemp(prefix="ff", dir="/tmp"))

    def gone() -> bool:
        shutil.rmtree(folder, ignore_errors=True)
        return not folder.exists()

    try:
        yield folder
    finally:
        until(gone)
