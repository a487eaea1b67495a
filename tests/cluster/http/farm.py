"""A farm that `ffrtmp up` has started, and the command by which it was."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ffrtmp_ray.client import Client

FFRTMP = Path(sys.executable).with_name("ffrtmp")


@dataclass(frozen=True)
class HttpFarm:
    base: str
    state_dir: Path
    client: Client


def ffrtmp(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(FFRTMP), *arguments], capture_output=True, text=True, timeout=180, check=False
    )
