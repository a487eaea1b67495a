"""A driver script: transcodes every video of a folder by talking straight to the farm's actors.

    ffrtmp up --root /srv/video
    python examples/transcode.py /srv/video/in /srv/video/out --preset web

It must run on a machine of the cluster. `over_http.py` does not need to.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import ffrtmp_ray
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.errors import CallerError

SUFFIXES = {".avi", ".flv", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".mts", ".ts", ".webm"}


def main() -> int:
    parser = argparse.ArgumentParser(description="Transcode every video of a folder.")
    parser.add_argument("inputs", type=Path, help="the folder to read")
    parser.add_argument("outputs", type=Path, help="the folder to write to; it must exist")
    parser.add_argument("--preset", default="web", help="default: %(default)s")
    parser.add_argument("--priority", choices=("high", "medium", "low"), default="medium")
    parser.add_argument("--address", help="Ray's, as host:port; default: that of `ffrtmp up`")
    wanted = parser.parse_args()

    with ffrtmp_ray.connect(wanted.address) as farm:
        jobs = []
        for path in sorted(wanted.inputs.resolve().iterdir()):
            if path.suffix.lower() not in SUFFIXES:
                continue
            output = wanted.outputs.resolve() / f"{path.stem}.mp4"
            try:
                job = farm.submit(
                    input=str(path),
                    output=str(output),
                    preset=wanted.preset,
                    priority=wanted.priority,
                )
            except CallerError as error:
                print(f"{path.name}: {error}", file=sys.stderr)
                continue
            jobs.append(job.id)

        failed = 0
        for job_id in jobs:  # all run at once, as far as there is room; we look at one by one
            for job in farm.watch(job_id):
                progress = "" if job.progress is None else f"{int(job.progress)} %"
                print(f"{Path(job.input).name}: {job.state} {progress}")
            if job.state is not JobState.COMPLETED:
                failed += 1
                print(f"{Path(job.input).name}: {job.failure and job.failure.reason}")
    return 1 if failed or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
