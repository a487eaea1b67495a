"""The chaos test in short: the same program as `make chaos`, for less time and with fewer jobs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(400)  # it takes a minute, and many times that on a machine with other work
def test_whatever_is_killed_every_job_completes_once_and_nothing_is_left() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--seed", "5", "--jobs", "6", "--seconds", "20"]
    ended = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told = json.loads(ended.stdout.splitlines()[-1])
    assert told["completed"] == told["jobs"] >= 6
    assert sum(told["struck"].values()) >= 3
    assert told["tasks_restarted_by_scheduler"] == 0
