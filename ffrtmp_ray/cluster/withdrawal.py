"""A program: has what runs on the cluster of one state folder end in order. Ends no Ray.

    python -m ffrtmp_ray.cluster.withdrawal STATE_DIR

On a cluster that we have only joined, all of ours goes. On one of our own it is enough that the
scheduler and the workers close what they do: the rest ends with Ray's processes, and loading what
could end it singly would take longer than ending does.

Says what it does on stderr. Exits with 0 when all went well, else with 1.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from ffrtmp_ray.cluster import ray_environment
from ffrtmp_ray.cluster.names import NAMESPACE, SCHEDULERS
from ffrtmp_ray.cluster.record import ClusterRecord, read
from ffrtmp_ray.errors import FfrtmpError

TIMEOUT_SECONDS = 3.0
"""For what runs to stop; then it is killed."""


def main(state_dir: Path) -> int:
    record = read(state_dir)
    if record is None:
        return 0
    ray_environment.enter(record)
    if record.started is not None:
        return _close(record)
    return _withdraw(record)


def _close(record: ClusterRecord) -> int:
    import ray  # it reads its environment when imported
    from ray.exceptions import RayError

    ray.init(
        address=record.address,
        namespace=NAMESPACE,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    there: list[Any] = []
    for name in SCHEDULERS:
        with suppress(ValueError):  # there is none of that name
            there.append(ray.get_actor(name, NAMESPACE))
    if not there:
        return 0
    _say("stopping the workers")
    try:
        ray.get([each.end.remote() for each in there], timeout=TIMEOUT_SECONDS)
    except (RayError, TimeoutError) as error:
        _say(str(error).strip().splitlines()[-1])
        return 1
    return 0


def _withdraw(record: ClusterRecord) -> int:
    from ffrtmp_ray.cluster.deploy import withdraw  # Ray reads its environment when imported

    try:
        withdraw(record.address, timeout_seconds=TIMEOUT_SECONDS, say=_say)
    except (FfrtmpError, ConnectionError, TimeoutError) as error:
        _say(str(error))
        return 1
    return 0


def _say(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
