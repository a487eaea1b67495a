"""What a process has in its environment: that of whoever starts it, and what it is given."""

from __future__ import annotations

import pytest

from ffrtmp_ray.media.process.runner import ProcessGroup

SAYING = ["sh", "-c", 'echo "$OF_ALL $OF_ONE" >&2']


async def test_what_one_process_is_given_is_beside_what_all_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OF_ALL", "all")
    monkeypatch.delenv("OF_ONE", raising=False)
    group = ProcessGroup(stall_seconds=30, grace_seconds=0.2, timeout_seconds=None)
    given = await group.run(SAYING, environment={"OF_ONE": "one"})
    assert (given.code, given.log) == (0, "all one\n")
    assert (await group.run(SAYING)).log == "all \n"
