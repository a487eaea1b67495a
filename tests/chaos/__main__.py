"""`make chaos`: a farm, its work, a hand that breaks it, and the ledger of what came of it.

    python -m tests.chaos --seed 7 --jobs 60 --seconds 180

Exits with 1, and keeps all files, when anything of what must be true is not.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av

from ffrtmp_ray.core.model import JobState
from tests.chaos import ledger, report
from tests.chaos.farm import ChaosFarm, chaos_farm
from tests.chaos.faults import KINDS
from tests.chaos.hand import Hand, Record
from tests.chaos.work import Work, frame_times

ARRIVALS = 0.8
"""Share of the time over which the jobs arrive, so that there is work for nearly all of it."""
FINISH_SECONDS = 600.0
"""For what is left when the hand rests."""
SETTLE_SECONDS = 15.0
"""For files that are removed behind canceled or lost attempts, and for processes to end."""
SUSPEND_LIMIT_SECONDS = 3.0
HANG_SECONDS = 6.0
"""After which a scheduler that does nothing is killed; long enough for one that all CPUs' encodes
hold up."""
BY_NAME = {kind.__name__: kind for kind in KINDS}
WORKERS_LOST = 100
"""What the hand does to workers is no fault of the tasks on them."""


def main() -> int:
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir="/tmp"))
    say = functools.partial(print, file=sys.stdout, flush=True)
    say(f"seed {options.seed}, {options.jobs} jobs, {options.seconds:g} s, in {folder}")
    began = time.time()
    with (folder / "ray.txt").open("w") as aside, contextlib.redirect_stdout(aside):
        records, facts = _chaos(folder, options, say)
    faults = ledger.faults(facts)
    say(f"\n{report.table_of(records)}\n")
    say("\n".join(f"FAULT  {fault}" for fault in faults) or "nothing is lost, nothing is left")
    if not faults and not options.keep:
        shutil.rmtree(folder)
    seconds = time.time() - began
    say(report.json_of(options.seed, seconds, records, facts.jobs, faults))
    return 1 if faults else 0


def _chaos(
    folder: Path, options: argparse.Namespace, say: Callable[[str], None]
) -> tuple[list[Record], ledger.Facts]:
    limits = {
        "suspend_limit_seconds": SUSPEND_LIMIT_SECONDS,
        "scheduler_hang_seconds": HANG_SECONDS,
        "max_workers_lost": WORKERS_LOST,
    }
    with chaos_farm(folder, **limits) as farm:
        work = Work(folder, farm.client, _dice(options.seed), options.clip_seconds)
        began = time.time()
        hand = Hand(
            farm,
            work,
            _dice(options.seed + 1),
            kinds={BY_NAME[name]: 1 for name in options.only} if options.only else KINDS,
            tell=lambda record: say(report.line_of(record, began)),
        )
        _strike(hand, work, options)
        return hand.records, _facts(farm, work, hand.records)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--jobs", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=180.0, help="for which the hand strikes")
    parser.add_argument("--clip-seconds", type=float, default=6.0)
    parser.add_argument("--only", nargs="+", choices=sorted(BY_NAME), help="kinds of faults")
    parser.add_argument("--keep", action="store_true", help="files and logs, as after a fault")
    return parser.parse_args()


def _dice(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  # chance that can be repeated, nothing secret


def _strike(hand: Hand, work: Work, options: argparse.Namespace) -> None:
    """Have all jobs submitted, and the farm struck meanwhile."""
    until = time.monotonic() + options.seconds

    def arrive() -> None:
        for _ in range(options.jobs):
            work.submit()
            time.sleep(options.seconds * ARRIVALS / options.jobs)

    arrivals = threading.Thread(target=arrive, name="arrivals")
    arrivals.start()
    try:
        hand.strike_until(lambda: time.monotonic() > until)
    finally:
        arrivals.join()


def _facts(farm: ChaosFarm, work: Work, records: list[Record]) -> ledger.Facts:
    """What there is when all jobs have ended, and what they leave has had time to go."""
    _until(lambda: not _unfinished(farm), FINISH_SECONDS)
    _until(lambda: not (farm.ffmpegs() or farm.orphans() or _leftovers(farm, work)), SETTLE_SECONDS)
    jobs = [farm.inside.get(view.id) for view in work.jobs()]
    found = [path for path in work.out.rglob("*") if path.is_file() and path.name[0] != "."]
    sources = {entry.source for entry in work.entries}
    return ledger.Facts(
        entries=work.entries,
        jobs=jobs,
        records=records,
        epoch=farm.inside.ready().epoch or 0,
        times={path: _times(path) for path in [*sources, *found]},
        leftovers=_leftovers(farm, work),
        orphans=[*farm.orphans(), *(f"{p.pid} ffmpeg" for p in farm.ffmpegs())],
    )


def _unfinished(farm: ChaosFarm) -> bool:
    unfinished = [state for state in JobState if not state.terminal]
    return bool(farm.asked(lambda: list(farm.inside.list(states=unfinished))))


def _leftovers(farm: ChaosFarm, work: Work) -> list[Path]:
    """Files in the workspace, where completed jobs leave none, and staged ones beside outputs."""
    staged = [path for path in work.out.rglob("*") if path.name.startswith(".")]
    return [*(p for p in farm.settings.workspace_dir.rglob("*") if p.is_file()), *staged]


def _times(path: Path) -> list[Fraction] | str:
    try:
        return frame_times(path)
    except (av.FFmpegError, IndexError) as error:
        return repr(error)


def _until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for it, and go on without it: the ledger says what is missing."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
