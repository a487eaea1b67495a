"""How processes are started, watched and ended: tiny ffmpegs of every temper, and a real one."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import psutil
import pytest

from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.process.runner import Ending, Exit, ProcessGroup
from ffrtmp_ray.media.process.tail import LOG_BYTES
from tests.media.processes import is_gone

BLOCK = r"frame=%d\nout_time_us=%d\nprogress=continue\n"

Program = Callable[[str], list[str]]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Makes an executable of the lines of a shell script."""

    def make(script: str) -> list[str]:
        path = tmp_path / f"ffmpeg{len(list(tmp_path.iterdir()))}"
        path.write_text("#!/bin/sh\n" + textwrap.dedent(script))
        path.chmod(0o755)
        return [str(path)]

    return make


def group(*, stall: float = 30.0, grace: float = 0.2, timeout: float | None = None) -> ProcessGroup:
    return ProcessGroup(stall_seconds=stall, grace_seconds=grace, timeout_seconds=timeout)


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # what is waited for is the kernel's to know
            await asyncio.sleep(0.005)


def is_stopped(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_STOPPED


async def start(
    processes: ProcessGroup, argv: list[str], seen: list[ProcessProgress] | None = None
) -> asyncio.Task[Exit]:
    """Run `argv` in a task; returns when its first words have come, so its traps are set."""
    task = asyncio.create_task(processes.run(argv, (seen if seen is not None else []).append))
    await until(lambda: "ready" in processes.log)
    return task


# ------------------------------------------------------------------------ running


async def test_an_obedient_process_reports_progress_and_its_exit(program: Program) -> None:
    seen: list[ProcessProgress] = []
    argv = program(f"printf '{BLOCK}' 1 40000; printf 'progress=end\\n'; echo hello >&2; exit 3")
    assert await group().run(argv, seen.append) == Exit(3, Ending.EXITED, "hello\n")
    assert [(found.frame, found.out_time_seconds) for found in seen] == [(1, 0.04), (0, None)]
    assert seen[-1].done


async def test_real_ffmpeg_reports_its_last_frame(tmp_path: Path) -> None:
    seen: list[ProcessProgress] = []
    argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "level+warning"]
    argv += ["-progress", "pipe:1", "-nostats", "-f", "lavfi", "-i", "testsrc2=d=2:r=25"]
    argv += ["-c:v", "mpeg4", str(tmp_path / "out.mp4")]
    end = await group().run(argv, seen.append)
    assert (end.code, end.ending) == (0, Ending.EXITED)
    assert (seen[-1].frame, seen[-1].done) == (50, True)


async def test_nothing_can_be_read_from_stdin(program: Program) -> None:
    end = await group().run(program("read word && exit 1; exit 0"))
    assert end.code == 0


async def test_a_chatty_process_never_blocks_and_only_the_end_is_kept(program: Program) -> None:
    processes = group()
    noise = "yes 'a line of warning' | head -c 5000000"
    argv = program(f"{noise} >&2; {noise}; {noise} | tr -d '\\n'; echo the end >&2")
    end = await processes.run(argv)
    assert end.code == 0
    assert end.log.endswith("the end\n")
    assert len(end.log.encode()) == LOG_BYTES
    assert processes.log == end.log


async def test_a_pipe_that_somebody_else_holds_does_not_hold_up_the_end(program: Program) -> None:
    async with asyncio.timeout(10):
        end = await group().run(program("sleep 60 & echo $! >&2; exit 4"))
    os.kill(int(end.log), signal.SIGKILL)
    assert (end.code, end.ending) == (4, Ending.EXITED)


async def test_the_log_of_a_group_is_of_all_its_processes(program: Program) -> None:
    processes = group()
    await processes.run(program("echo one >&2"))
    end = await processes.run(program("echo two >&2"))
    assert processes.log == "one\ntwo\n"
    assert end.log == "two\n"


async def test_a_process_is_known_by_its_pid_while_it_runs_and_gives_way_to_its_worker(
    program: Program,
) -> None:
    processes = group()
    task = await start(processes, program("echo ready >&2; exec sleep 60"))
    (pid,) = processes.pids
    child = psutil.Process(pid)
    assert child.ppid() == os.getpid()
    assert child.nice() > psutil.Process().nice()
    assert os.getsid(pid) == os.getsid(0)
    processes.stop()
    await task
    assert processes.pids == ()


async def test_a_crash_is_an_exit_with_the_signals_number(program: Program) -> None:
    end = await group().run(program("kill -SEGV $$"))
    assert (end.code, end.ending) == (-signal.SIGSEGV, Ending.EXITED)


async def test_a_program_that_does_not_exist_ends_with_127() -> None:
    end = await group().run(["/nonexistent/ffmpeg"])
    assert (end.code, end.ending) == (127, Ending.EXITED)
    assert "/nonexistent/ffmpeg" in end.log


async def test_without_setpriv_nothing_is_started(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="setpriv") as caught:
        await group().run(program("exit 0"))
    assert caught.value.remedy == "install the package util-linux"


async def test_a_listener_that_fails_takes_its_process_with_it(program: Program) -> None:
    processes = group()

    def listen(_: ProcessProgress) -> None:
        raise ZeroDivisionError

    argv = program(f"echo $$ >&2; printf '{BLOCK}' 1 1; exec sleep 60")
    with pytest.raises(ZeroDivisionError):
        await processes.run(argv, listen)
    assert is_gone(int(processes.log))


# ------------------------------------------------------------------------ stopping


async def test_stop_lets_a_process_end_by_itself(program: Program) -> None:
    processes = group(grace=30)
    argv = program(
        "trap 'echo bye >&2; exit 255' TERM; echo ready >&2; while :; do sleep 0.01; done"
    )
    task = await start(processes, argv)
    processes.stop()
    end = await task
    assert (end.code, end.ending) == (255, Ending.STOPPED)
    assert end.log == "ready\nbye\n"


async def test_a_process_deaf_to_sigterm_is_killed_after_the_grace(program: Program) -> None:
    processes = group(grace=0.2)
    argv = program("trap '' TERM; echo ready >&2; exec sleep 60")
    task = await start(processes, argv)
    stopped_at = time.monotonic()
    processes.stop()
    end = await task
    assert (end.code, end.ending) == (-signal.SIGKILL, Ending.STOPPED)
    assert time.monotonic() - stopped_at >= 0.2


async def test_after_stop_nothing_is_started(program: Program, tmp_path: Path) -> None:
    processes = group()
    processes.stop()
    end = await processes.run(program(f"touch {tmp_path}/started"))
    assert end.ending is Ending.STOPPED
    assert not (tmp_path / "started").exists()


async def test_a_stop_during_the_start_is_obeyed(program: Program) -> None:
    processes = group(grace=30)
    task = asyncio.create_task(processes.run(program("exec sleep 60")))
    await asyncio.sleep(0)
    processes.stop()
    assert (await task).ending is Ending.STOPPED


async def test_all_processes_of_a_group_are_stopped(program: Program) -> None:
    processes = group()
    argv = program("exec sleep 60")
    tasks = [asyncio.create_task(processes.run(argv)) for _ in range(3)]
    await until(lambda: len(processes.pids) == 3)
    processes.stop()
    assert {end.ending for end in await asyncio.gather(*tasks)} == {Ending.STOPPED}


async def test_canceling_the_run_kills_and_reaps_the_process(program: Program) -> None:
    processes = group()
    task = await start(processes, program("trap '' TERM; echo ready >&2; exec sleep 60"))
    (pid,) = processes.pids
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not psutil.pid_exists(pid)
    assert processes.pids == ()


# ------------------------------------------------------------------------ suspending


async def test_a_suspended_process_is_stopped_and_goes_on_when_resumed(program: Program) -> None:
    processes = group()
    seen: list[ProcessProgress] = []
    argv = program(
        "i=0; echo ready >&2; while [ $i -lt 200 ]; do i=$((i + 1));"
        f" printf '{BLOCK}' $i $i; sleep 0.01; done"
    )
    task = await start(processes, argv, seen)
    (pid,) = processes.pids
    processes.suspend()
    assert processes.suspended
    await until(lambda: is_stopped(pid))
    assert not task.done()
    processes.resume()
    end = await task
    assert (end.code, end.ending, processes.suspended) == (0, Ending.EXITED, False)
    assert seen[-1].frame == 200


async def test_neither_stall_nor_timeout_counts_while_suspended(program: Program) -> None:
    processes = group(stall=0.3, timeout=0.5)
    task = await start(processes, program("echo ready >&2; exec sleep 60"))
    (pid,) = processes.pids
    processes.suspend()
    await until(lambda: is_stopped(pid))
    done, _ = await asyncio.wait({task}, timeout=1.0)  # twice the timeout: nothing may happen
    assert not done
    processes.resume()
    assert (await task).ending is Ending.STALLED


async def test_a_process_run_in_a_suspended_group_waits_for_resume(
    program: Program, tmp_path: Path
) -> None:
    processes = group()
    processes.suspend()
    task = asyncio.create_task(processes.run(program(f"touch {tmp_path}/started")))
    await asyncio.wait({task}, timeout=0.3)
    assert (processes.pids, task.done()) == ((), False)
    assert not (tmp_path / "started").exists()
    processes.resume()
    assert (await task).code == 0
    assert (tmp_path / "started").exists()


async def test_a_suspend_during_the_start_is_obeyed(program: Program) -> None:
    processes = group()
    task = asyncio.create_task(processes.run(program("exec sleep 60")))
    await asyncio.sleep(0)
    processes.suspend()
    await until(lambda: bool(processes.pids))
    (pid,) = processes.pids
    await until(lambda: is_stopped(pid))
    processes.stop()
    await task


async def test_a_suspended_process_is_killed_at_once_when_stopped(program: Program) -> None:
    processes = group(grace=60)
    task = await start(processes, program("echo ready >&2; exec sleep 60"))
    processes.suspend()
    processes.stop()
    async with asyncio.timeout(5):
        end = await task
    assert (end.code, end.ending) == (-signal.SIGKILL, Ending.STOPPED)


async def test_stop_ends_a_run_that_waits_for_resume(program: Program) -> None:
    processes = group()
    processes.suspend()
    task = asyncio.create_task(processes.run(program("exit 0")))
    await asyncio.sleep(0)
    processes.stop()
    assert (await task).ending is Ending.STOPPED


# ------------------------------------------------------------------------ watching


async def test_a_silent_process_stalls(program: Program) -> None:
    end = await group(stall=0.2).run(program("exec sleep 60"))
    assert (end.code, end.ending) == (-signal.SIGTERM, Ending.STALLED)


async def test_status_that_gets_nowhere_is_a_stall(program: Program) -> None:
    seen: list[ProcessProgress] = []
    argv = program(f"while :; do printf '{BLOCK}' 7 280000; sleep 0.02; done")
    end = await group(stall=0.5).run(argv, seen.append)
    assert end.ending is Ending.STALLED
    assert len(seen) > 1


async def test_a_slow_process_that_gets_on_is_left_alone(program: Program) -> None:
    argv = program(f"for i in 1 2 3 4 5 6; do printf '{BLOCK}' $i $i; sleep 0.2; done")
    end = await group(stall=0.8).run(argv)
    assert (end.code, end.ending) == (0, Ending.EXITED)


async def test_a_process_that_writes_a_file_without_a_word_is_left_alone(
    program: Program, tmp_path: Path
) -> None:
    """As ffmpeg does when it moves a whole file (`+faststart`)."""
    target = tmp_path / "file"
    argv = program(
        f"printf '{BLOCK}' 1 1; for i in 1 2 3 4 5 6 7 8; do"
        f" head -c 4000000 /dev/zero >> {target}; sleep 0.2; done"
    )
    end = await group(stall=0.7).run(argv)
    assert (end.code, end.ending) == (0, Ending.EXITED)


async def test_words_without_number_are_no_progress(program: Program) -> None:
    argv = program("while :; do head -c 4000000 /dev/zero >&2; sleep 0.1; done")
    assert (await group(stall=0.6).run(argv)).ending is Ending.STALLED


async def test_the_timeout_is_for_the_whole_attempt(program: Program) -> None:
    processes = group(timeout=2)
    argv = program(f"i=0; while :; do i=$((i + 1)); printf '{BLOCK}' $i $i; sleep 0.02; done")
    assert (await processes.run(program("sleep 1.5"))).ending is Ending.EXITED
    started_at = time.monotonic()
    end = await processes.run(argv)
    assert end.ending is Ending.TIMED_OUT
    assert time.monotonic() - started_at < 1.9


async def test_a_stalled_process_deaf_to_sigterm_is_killed(program: Program) -> None:
    argv = program("trap '' TERM; exec sleep 60")
    end = await group(stall=0.4, grace=0.1).run(argv)
    assert (end.code, end.ending) == (-signal.SIGKILL, Ending.STALLED)


# ------------------------------------------------------------------------ the worker's death

WORKER = """
import asyncio, sys, threading
from ffrtmp_ray.media.process.runner import ProcessGroup

async def main():
    group = ProcessGroup(stall_seconds=60, grace_seconds=1, timeout_seconds=None)
    run = asyncio.create_task(group.run([sys.argv[1]]))
    while "ready" not in group.log:
        await asyncio.sleep(0.01)
    print(group.pids[0], flush=True)
    await run

{start}
"""
STARTS = {
    "the main thread": "asyncio.run(main())",
    "a thread, as in a Ray actor": "threading.Thread(target=asyncio.run, args=(main(),)).start()",
    "uvloop, which Ray prefers": "import uvloop; uvloop.run(main())",
}


@pytest.mark.parametrize("loop", STARTS)
def test_a_process_dies_with_its_killed_worker(loop: str, program: Program) -> None:
    argv = program("trap '' TERM HUP; echo ready >&2; while :; do sleep 0.05; done")
    script = WORKER.format(start=STARTS[loop])
    with subprocess.Popen([sys.executable, "-c", script, *argv], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        assert not is_gone(pid)
        worker.kill()
    deadline = time.monotonic() + 5
    while not is_gone(pid) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert is_gone(pid)
