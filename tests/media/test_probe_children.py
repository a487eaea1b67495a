"""The processes that look into files: ready ahead, limited, replaced; they write nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.probe import prober as probing
from ffrtmp_ray.media.probe.prober import Prober
from ffrtmp_ray.media.probe.source import Source
from tests.clips import Clips
from tests.media.probing import GIB, source_of
from tests.media.processes import is_gone
from tests.support.waiting import until


async def test_a_child_is_ready_before_the_first_question(prober: Prober, clips: Clips) -> None:
    prober.start()
    (pid,) = prober.pids
    await source_of(prober, clips("plain.mp4"))
    assert prober.pids == (pid,)


async def test_a_child_that_is_killed_fails_one_question_and_is_replaced(
    prober: Prober, clips: Clips
) -> None:
    prober.start()
    (pid,) = prober.pids
    os.kill(pid, signal.SIGSTOP)  # so that it cannot answer first
    asked = asyncio.create_task(prober.probe(clips("plain.mp4")))
    await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    failure = await asked
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.CRASHED
    assert (await source_of(prober, clips("plain.mp4"))).video.frames == 50
    assert pid not in prober.pids


def _kill_and_wait(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


async def test_a_child_that_died_between_questions_is_replaced_unseen(
    prober: Prober, clips: Clips
) -> None:
    prober.start()
    (pid,) = prober.pids
    _kill_and_wait(pid)
    assert (await source_of(prober, clips("plain.mp4"))).video.frames == 50


async def test_a_child_that_overruns_its_time_is_killed(clips: Clips) -> None:
    prober = Prober(memory_bytes=2 * GIB, timeout_seconds=0.2)
    prober.start()
    (pid,) = prober.pids
    os.kill(pid, signal.SIGSTOP)
    failure = await prober.probe(clips("plain.mp4"))
    assert isinstance(failure, Failure)
    assert failure.kind is FailureKind.TIMED_OUT
    assert not psutil.pid_exists(pid)
    prober.close()


async def test_canceling_a_question_kills_the_child_that_works_on_it(
    prober: Prober, clips: Clips
) -> None:
    prober.start()
    (pid,) = prober.pids
    os.kill(pid, signal.SIGSTOP)
    asked = asyncio.create_task(prober.probe(clips("plain.mp4")))
    await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert not psutil.pid_exists(pid)


async def test_one_that_does_not_die_at_once_is_not_waited_for_and_is_reaped_in_the_end(
    prober: Prober, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one that reads from a server of files that has gone."""
    wait = subprocess.Popen.wait

    def wait_long(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        if timeout is not None:
            raise subprocess.TimeoutExpired("child", timeout)
        return wait(process)

    monkeypatch.setattr(subprocess.Popen, "wait", wait_long)
    prober.start()
    (pid,) = prober.pids
    prober.close()
    await asyncio.to_thread(until, lambda: not psutil.pid_exists(pid))


async def test_memory_is_limited(clips: Clips) -> None:
    prober = Prober(memory_bytes=2 * GIB, timeout_seconds=30)
    await source_of(prober, clips("plain.mp4"))
    (pid,) = prober.pids
    assert psutil.Process(pid).rlimit(psutil.RLIMIT_AS) == (2 * GIB, 2 * GIB)
    prober.close()


@pytest.fixture
def large(ffmpeg: str, tmp_path: Path) -> Path:
    """A clip each of whose pictures takes 50 MB."""
    path = tmp_path / "large.mp4"
    picture = ["-f", "lavfi", "-i", "color=gray:size=7680x4320:duration=0.2", "-pix_fmt", "yuv420p"]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", str(path)]
    subprocess.run([ffmpeg, "-v", "error", *picture, *encode], check=True)
    return path


async def _peak(path: Path) -> int:
    """Most bytes of address space that counting a file takes."""
    prober = Prober(memory_bytes=8 * GIB, timeout_seconds=30)
    await prober.count(path, timeout_seconds=30)
    peak = _most_address_space(prober.pids[0])
    prober.close()
    return peak


def _most_address_space(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmPeak:")[1].split()[0]) * 1024


async def test_a_file_that_needs_more_memory_costs_one_answer(large: Path, clips: Clips) -> None:
    """Which answer that is, is the decoder's affair: some report pictures lost, not memory."""
    small = clips("plain.mp4")
    enough = await _peak(small) + 32 * 1024**2
    prober = Prober(memory_bytes=enough, timeout_seconds=30)
    short = await prober.count(large, timeout_seconds=30)
    (pid,) = prober.pids
    following = await prober.count(small, timeout_seconds=30)
    assert prober.pids == (pid,), "the child lives on"
    prober.close()
    assert isinstance(short, Failure) or short.damaged > 0
    assert not isinstance(following, Failure)
    assert following.damaged == 0


async def test_two_questions_are_answered_side_by_side(prober: Prober, clips: Clips) -> None:
    names = ["plain.mp4", "vfr.mp4", "stream.ts", "edited.mp4"]
    sources = await asyncio.gather(*(source_of(prober, clips(name)) for name in names))
    assert [source.video.frames for source in sources] == [50, 30, 50, 37]
    assert len(prober.pids) == 2


WORKER = """
import asyncio, sys
from pathlib import Path
from ffrtmp_ray.media.probe.prober import Prober

async def main():
    prober = Prober(memory_bytes=2 << 30, timeout_seconds=60)
    question = asyncio.create_task(prober.probe(Path(sys.argv[1])))
    while not prober.pids:
        await asyncio.sleep(0.01)
    print(*prober.pids, flush=True)
    await question

asyncio.run(main())
"""


def _opened_by(pid: int, path: Path) -> bool:
    return any(os.path.realpath(fd) == str(path) for fd in Path(f"/proc/{pid}/fd").iterdir())


@pytest.mark.parametrize("busy", [True, False], ids=["over a file", "at its start"])
def test_a_child_dies_with_its_killed_worker(busy: bool, tmp_path: Path) -> None:
    endless = tmp_path / "endless.ts"
    os.mkfifo(endless)
    writer = os.open(endless, os.O_RDWR)  # so that a reader waits for what never comes
    worker = subprocess.Popen([sys.executable, "-c", WORKER, endless], stdout=subprocess.PIPE)
    with worker:
        assert worker.stdout is not None
        try:
            pid = int(worker.stdout.readline())
            if busy:
                until(lambda: _opened_by(pid, endless))
        finally:
            worker.kill()
    until(lambda: is_gone(pid))
    os.close(writer)


async def test_a_child_that_has_answered_much_is_replaced_by_one_that_is_ready(
    clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "_MOST_QUESTIONS", 2)
    prober = Prober(memory_bytes=2 * GIB, timeout_seconds=30)
    prober.start()
    seen = []
    for _ in range(4):
        seen += prober.pids
        assert isinstance(await prober.probe(clips("silent.mp4")), Source)
    prober.close()
    first, again, second, still = seen
    assert (first, second) == (again, still)
    assert first != second
    assert is_gone(first)


async def test_a_child_can_write_no_file_and_open_few(clips: Clips) -> None:
    prober = Prober(memory_bytes=2 * GIB, timeout_seconds=30)
    prober.start()
    await prober.probe(clips("silent.mp4"))
    (pid,) = prober.pids
    child = psutil.Process(pid)
    assert child.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert child.rlimit(psutil.RLIMIT_NOFILE) == (64, 64)
    assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    prober.close()
