"""Damages clips by chance and runs a job with each: `make fuzz`.

    python -m tests.fuzz --count 500 --seed 7

Every job must end as completed or failed with a reason, leave nothing behind and not make the
worker grow. The last line is what happened, as JSON; the exit status is 1 where something is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import sys
import tempfile
from collections import Counter
from pathlib import Path

import imageio_ffmpeg

from tests.clips import RECIPES, Clips
from tests.conftest import real_clips
from tests.fuzz.jobs import MIB, Ended, run

WARM_UP = 50
"""Jobs after which the memory of the worker is to stay what it is."""
MOST_GROWTH = 24 * MIB


def main() -> None:
    parser = argparse.ArgumentParser(description="Run jobs with damaged clips.")
    parser.add_argument("--count", type=int, default=500, help="(%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first (%(default)s)")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="(by chance)")
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        ended = asyncio.run(_run(Path(folder), wanted.seed, wanted.first, wanted.count))
    grown = growth(ended)
    defects = [f"{each.number}: {defect}" for each in ended for defect in each.defects]
    if grown > MOST_GROWTH:
        defects.append(f"the worker grew by {grown / MIB:.0f} MiB")
    told = {
        "seed": wanted.seed,
        "jobs": len(ended),
        "outcomes": dict(Counter(each.outcome for each in ended)),
        "slowest_seconds": round(max(each.seconds for each in ended), 1),
        "worker_mib": [
            round(each.worker_bytes / MIB) for each in ended[:: max(len(ended) // 5, 1)]
        ],
        "largest_child_mib": round(max(each.children_bytes for each in ended) / MIB),
        "defects": defects,
    }
    print(json.dumps(told))
    sys.exit(1 if defects else 0)


def growth(ended: list[Ended]) -> int:
    """Bytes by which the worker has grown since it was warm."""
    warm = ended[min(WARM_UP, len(ended) - 1)]
    return ended[-1].worker_bytes - warm.worker_bytes


async def _run(folder: Path, seed: int, first: int, count: int) -> list[Ended]:
    (folder / "clips").mkdir()
    clips = real_clips()
    if not clips:
        make = Clips(folder / "clips", imageio_ffmpeg.get_ffmpeg_exe())
        clips = [make(name) for name in RECIPES]
    (folder / "jobs").mkdir()
    found = []
    async for each in run(clips, folder / "jobs", seed=seed, first=first, count=count):
        found.append(each)
        print(
            f"{each.number:4} {each.clip:44} {each.damage:9} {each.seconds:5.1f} s "
            f"{each.outcome:12} {each.reason[:120]} {'; '.join(each.defects)}",
            flush=True,
        )
    return found


if __name__ == "__main__":
    main()
