"""The processes that look into files: they write nothing, and are replaced before they grow."""

from __future__ import annotations

import psutil
import pytest

from ffrtmp_ray.media.probe import prober as probing
from ffrtmp_ray.media.probe.prober import Prober
from ffrtmp_ray.media.probe.source import Source
from tests.clips import Clips
from tests.media.processes import is_gone


async def test_a_child_that_has_answered_much_is_replaced_by_one_that_is_ready(
    clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "_MOST_QUESTIONS", 2)
    prober = Prober(memory_bytes=2**31, timeout_seconds=30)
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
    prober = Prober(memory_bytes=2**31, timeout_seconds=30)
    prober.start()
    await prober.probe(clips("silent.mp4"))
    (pid,) = prober.pids
    child = psutil.Process(pid)
    assert child.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert child.rlimit(psutil.RLIMIT_NOFILE) == (64, 64)
    assert child.rlimit(psutil.RLIMIT_CORE) == (0, 0)
    prober.close()
