"""Who leads, of several processes: real ones, and the lock of a real file."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from ffrtmp_ray.cluster.lead import lead

PROGRAM = """
import asyncio, sys
from pathlib import Path
from ffrtmp_ray.cluster.lead import lead

async def main():
    await lead(Path(sys.argv[1]))
    print("leads", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_another_one_leads_in_the_moment_in_which_the_first_is_killed(tmp_path: Path) -> None:
    state = tmp_path / "not" / "there"
    first = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(state), stdout=subprocess.PIPE
    )
    assert first.stdout is not None
    assert await first.stdout.readline() == b"leads\n"
    second = asyncio.create_task(lead(state))
    _, waiting = await asyncio.wait({second}, timeout=0.2)
    assert waiting, "the first one leads"

    first.kill()

    await asyncio.wait_for(second, 10)
    await first.wait()


async def test_where_no_file_can_be_locked_one_leads_at_once(tmp_path: Path) -> None:
    obstacle = tmp_path / "state"
    obstacle.touch()
    await asyncio.wait_for(lead(obstacle), 10)
