"""The simulation's command: what it prints, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys

SMALL = ("--jobs", "100", "--workers", "20")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "benchmarks.simulate", *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=100, check=False)


def test_the_last_line_has_it_all_in_json() -> None:
    printed = run("steady", *SMALL)
    assert printed.returncode == 0, printed.stderr
    found = json.loads(printed.stdout.splitlines()[-1])["steady"]
    for decider in ("engine", "fifo"):
        assert found[decider]["completed"] == 100
        assert found[decider]["wait_seconds"]["default/medium"]["count"] > 0
        assert sum(found[decider]["service_share"].values()) <= 1.0
    assert found["wait_ratio"].keys() == found["engine"]["wait_seconds"].keys()


def test_a_scenario_that_is_not_there_is_refused_with_those_that_are() -> None:
    printed = run("stady", *SMALL)
    assert printed.returncode == 2
    assert "stady" in printed.stderr
    assert "steady" in printed.stderr
