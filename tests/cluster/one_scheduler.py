"""A program for tests of several schedulers: runs one, without machines, and says how it fares.

It submits jobs to itself for as long as it is the scheduler. Each line is a JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import structlog

from ffrtmp_ray.cluster.scheduler_actor import SchedulerActor
from ffrtmp_ray.cluster.submission import submission
from ffrtmp_ray.errors import Problem
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.settings import Settings
from tests.cluster.farms import QUICK, NoMachines

SPEC = JobSpec(input="/in.mp4", output="/out.mp4", ladder=QUICK)


class WithoutRay(SchedulerActor):
    async def _export(self) -> None:
        """There is no Ray that would take metrics."""
        await asyncio.Event().wait()


def say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def main(database: str, holder: str, takeover_seconds: float, state_dir: Path) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    settings = Settings(database=database, takeover_seconds=takeover_seconds, state_dir=state_dir)
    scheduler = WithoutRay(settings, holder, NoMachines())
    asked = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    number = 0
    while not asked.done():
        ready = await scheduler.ready()
        if ready.epoch is None:
            say(waits_for=ready.reasons[0])
            await asyncio.sleep(0.05)
            continue
        number += 1
        job_id = f"{holder}-{ready.epoch}-{number}"
        event = submission(job_id, SPEC, settings=settings)
        (answer,) = await scheduler.submit([event])
        if not isinstance(answer, Problem):
            say(accepted=job_id, epoch=ready.epoch)
    await scheduler.end()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4])))
