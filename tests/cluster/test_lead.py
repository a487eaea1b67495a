"""Who leads, of several processes: real ones, and the lock of a real file."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ffrtmp_ray.cluster.lead import LOCK_FILE, Lead, Watch, lead

PROGRAM = """
import asyncio, sys
from pathlib import Path
from ffrtmp_ray.cluster.lead import lead

async def main():
    led = await lead(Path(sys.argv[1]), hang_seconds=5)
    print("leads", flush=True)
    await (led.beat() if sys.argv[2] == "up" else asyncio.Event().wait())

asyncio.run(main())
"""


async def _leading(state: Path, how: str = "up") -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(state), how, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"leads\n"
    return process


async def _waiting(state: Path, *, hang_seconds: float, for_seconds: float) -> asyncio.Task[Lead]:
    """Another one, which has waited for so long, and leads when the one that does has ended."""
    another = asyncio.create_task(lead(state, hang_seconds=hang_seconds))
    _, waiting = await asyncio.wait({another}, timeout=for_seconds)
    assert waiting, "the one that leads is left alone"
    return another


async def test_another_one_leads_in_the_moment_in_which_the_first_is_killed(tmp_path: Path) -> None:
    state = tmp_path / "not" / "there"
    first = await _leading(state)
    second = await _waiting(state, hang_seconds=60, for_seconds=0.2)

    first.kill()

    await asyncio.wait_for(second, 10)
    await first.wait()


async def test_one_that_is_not_up_yet_may_take_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ffrtmp_ray.cluster.lead.BEAT_SECONDS", 0.05)  # of who waits
    first = await _leading(tmp_path, "loading")
    second = await _waiting(tmp_path, hang_seconds=0.5, for_seconds=1.5)
    first.kill()
    await asyncio.wait_for(second, 10)
    await first.wait()


async def test_one_that_stands_still_is_killed_by_the_one_that_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ffrtmp_ray.cluster.lead.BEAT_SECONDS", 0.25)  # of who waits
    first = await _leading(tmp_path)
    beats = tmp_path / LOCK_FILE
    begun = beats.stat().st_mtime_ns
    second = await _waiting(tmp_path, hang_seconds=2, for_seconds=3)
    assert beats.stat().st_mtime_ns != begun
    assert beats.read_text() == str(first.pid)

    first.send_signal(signal.SIGSTOP)

    await asyncio.wait_for(second, 20)
    assert await first.wait() == -signal.SIGKILL
    assert beats.read_text() == "", "the one that leads now has not begun to beat"


def _judged(watch: Watch, *looks: tuple[int, int]) -> list[bool]:
    return [watch.stands_still(process, beat) for process, beat in looks]


def test_one_that_does_not_beat_stands_still() -> None:
    looks = [(7, 1), (7, 2), (7, 2), (7, 2), (7, 2)]
    assert _judged(Watch(3), *looks) == [False, False, False, False, True]


def test_one_that_beats_now_and_then_does_not() -> None:
    assert not any(_judged(Watch(3), *[(7, beat // 3) for beat in range(100)]))


def test_another_process_is_judged_anew() -> None:
    assert _judged(Watch(2), (7, 1), (7, 1), (8, 1), (8, 1), (8, 1)) == [False] * 4 + [True]


async def test_where_no_file_can_be_locked_one_leads_at_once(tmp_path: Path) -> None:
    obstacle = tmp_path / "state"
    obstacle.touch()
    await asyncio.wait_for(lead(obstacle, hang_seconds=60), 10)
