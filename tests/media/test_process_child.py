"""How one process is started, read and reaped, in asyncio's loop and in the one of workers."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.media.process.child import Child
from tests.media.processes import is_gone

Run = Callable[[Coroutine[Any, Any, Any]], Any]
LOOPS = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


def _shell(script: str) -> tuple[str, ...]:
    return ("sh", "-c", script)


async def _ended(script: str) -> tuple[int, bytes, bytes]:
    output, log = bytearray(), bytearray()
    child = Child(output.extend, log.extend)
    child.start(_shell(script), {"WORD": "hello"})
    try:
        return await child.wait(), bytes(output), bytes(log)
    finally:
        await child.end()


@LOOPS
def test_a_process_is_read_to_its_end(run: Run) -> None:
    noise = "head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2"
    code, output, log = run(_ended(f"{noise}; echo $WORD; exit 3"))
    assert (code, len(output), len(log)) == (3, 3_000_006, 2_000_000)
    assert output.endswith(b"\0hello\n")


@LOOPS
def test_one_that_is_let_go_is_killed_and_reaped(run: Run) -> None:
    async def course() -> int:
        heard = asyncio.Event()
        child = Child(lambda _: heard.set(), lambda _: None)
        child.start(_shell("echo; exec sleep 60"), {})
        await heard.wait()
        await child.end()
        assert is_gone(child.pid)
        child.send(signal.SIGTERM)  # to nobody
        return await child.wait()

    assert run(course()) == -signal.SIGKILL


async def test_none_is_left_that_cannot_be_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(pid: int) -> int:
        (tmp_path / "pid").write_text(str(pid))
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "pidfd_open", fail)
    with pytest.raises(MachineError, match="Too many open files"):
        await _ended("exec sleep 60")
    assert is_gone(int((tmp_path / "pid").read_text()))


async def test_one_that_cannot_be_started_is_an_error_of_the_machine() -> None:
    child = Child(lambda _: None, lambda _: None)
    with pytest.raises(MachineError, match="No such file"):
        child.start(("/nonexistent/program",), {})
