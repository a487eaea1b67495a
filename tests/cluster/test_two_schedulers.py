"""Two schedulers on one PostgreSQL: only one ever commits, and the other waits for its turn."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest

from tests.support.waiting import until

CHECKOUT = Path(__file__).resolve().parents[2]
TAKEOVER_SECONDS = 4.0
"""Twice the time between two renewals of a claim, for the sake of a busy machine."""


class Process:
    """A scheduler in a process of its own, with all that it has said."""

    def __init__(self, database: str, holder: str, state_dir: Path) -> None:
        self._command = [sys.executable, "-m", "tests.cluster.one_scheduler", database, holder]
        self._command += [str(TAKEOVER_SECONDS), str(state_dir)]
        self.holder = holder
        self.said: list[dict[str, Any]] = []
        self.start()

    def start(self) -> None:
        self.child = subprocess.Popen(
            self._command,
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        threading.Thread(target=self._read, args=(self.child.stdout,)).start()

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                self.said.append(json.loads(line))

    def send(self, number: signal.Signals) -> None:
        self.child.send_signal(number)

    def end(self) -> None:
        """In order: what it holds it gives up."""
        self._close_input()
        assert self.child.wait(20) == 0

    def _close_input(self) -> None:
        assert self.child.stdin is not None
        self.child.stdin.close()

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()
        self._close_input()

    @property
    def accepted(self) -> list[str]:
        return [line["accepted"] for line in self.said if "accepted" in line]

    def holds(self, epoch: int) -> bool:
        return any(line.get("epoch") == epoch for line in self.said)

    def waits_for(self, holder: str) -> bool:
        return f"{holder} is the scheduler" in str(self.said[-1:])


@pytest.fixture
def two(postgresql_database: str, tmp_path: Path) -> Iterator[tuple[Process, Process]]:
    """Started at once: the first is the scheduler, the second waits for it."""
    both = [Process(postgresql_database, holder, tmp_path / holder) for holder in ("ann", "ben")]
    try:
        first = until(lambda: next((each for each in both if each.holds(1)), None), 60)
        second = both[1 - both.index(first)]
        until(lambda: second.waits_for(first.holder))
        yield first, second
    finally:
        for each in both:
            each.kill()


def committed(url: str) -> list[str]:
    """The jobs of the store, in the order in which their commits were made."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT job_id FROM transitions ORDER BY seq").fetchall()
    return [row[0] for row in rows]


def epoch(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT epoch FROM scheduler").fetchone()
    assert row is not None
    return int(row[0])


def test_of_two_schedulers_only_one_ever_commits_and_the_other_takes_its_place(
    two: tuple[Process, Process], postgresql_database: str
) -> None:
    first, second = two

    first.send(signal.SIGSTOP)
    until(lambda: second.holds(2), 40)
    first.send(signal.SIGCONT)
    assert first.child.wait(20) == 1, "it has noticed, and ended itself"

    first.kill()
    first.start()  # as Ray does
    until(lambda: first.waits_for(second.holder), 60)
    before = len(second.accepted)
    until(lambda: len(second.accepted) > before + 20)
    assert first.child.poll() is None, "it waits, and does not end again and again"
    assert epoch(postgresql_database) == 2

    second.end()
    until(lambda: first.holds(3), TAKEOVER_SECONDS)  # at once

    accepted = {*first.accepted, *second.accepted}
    stored = committed(postgresql_database)
    assert accepted <= set(stored)
    epochs = [int(job.split("-")[1]) for job in stored]
    assert epochs == sorted(epochs), "a superseded scheduler has committed"
    holders = {job.rpartition("-")[0] for job in stored}
    assert holders == {f"{first.holder}-1", f"{second.holder}-2", f"{first.holder}-3"}
