"""A program: takes the system off the cluster of one state folder. Ends no Ray.

    python -m ffrtmp_ray.cluster.withdrawal STATE_DIR

Says what it does on stderr. Exits with 0 when all of ours has ended, else with 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ffrtmp_ray.cluster import ray_environment
from ffrtmp_ray.cluster.record import read
from ffrtmp_ray.errors import FfrtmpError

TIMEOUT_SECONDS = 4.0
"""For what runs to stop; then it is killed."""


def main(state_dir: Path) -> int:
    record = read(state_dir)
    if record is None:
        return 0
    ray_environment.enter(record)
    from ffrtmp_ray.cluster.deploy import withdraw  # Ray reads its environment when imported

    try:
        withdraw(record.address, timeout_seconds=TIMEOUT_SECONDS, say=_say)
    except (FfrtmpError, ConnectionError, TimeoutError) as error:
        _say(f"{error}")
        return 1
    return 0


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
