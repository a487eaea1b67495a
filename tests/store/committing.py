"""A program for tests of durability: commits jobs, three to a commit, and says so after each."""

from __future__ import annotations

import itertools
import sys

from ffrtmp_ray.store.open import open_store
from tests.store.samples import added, attempt, job, task

JOBS_PER_COMMIT = 3


def main(url: str) -> None:
    store = open_store(url, takeover_seconds=3600)
    epoch = store.take_epoch("child", "1.0")
    for commit in itertools.count():
        first = commit * JOBS_PER_COMMIT + 1
        jobs = [job(number) for number in range(first, first + JOBS_PER_COMMIT)]
        store.commit(
            epoch, [c for each in jobs for c in added(each, task(each), attempt(task(each)))]
        )
        sys.stdout.write(f"{commit + 1}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
