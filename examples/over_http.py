"""Transcodes one file over the HTTP API, with no package but httpx, from any machine.

    python examples/over_http.py /srv/video/in.mov /srv/video/out.mp4 --preset web

The paths are those of the farm. In a shell, with curl:

    curl -s http://127.0.0.1:8000/jobs -H 'content-type: application/json' \\
         -d '{"input": "/srv/video/in.mov", "output": "/srv/video/out.mp4", "preset": "web"}'
    curl -s http://127.0.0.1:8000/jobs/ID
"""

from __future__ import annotations

import argparse
import sys
import time

import httpx

ENDED = ("completed", "failed", "canceled")


def main() -> int:
    parser = argparse.ArgumentParser(description="Transcode one file over HTTP.")
    parser.add_argument("input", help="absolute path of the source, as the farm sees it")
    parser.add_argument("output", help="absolute path of the file to make; nothing may be there")
    parser.add_argument("--preset", default="web", help="default: %(default)s")
    parser.add_argument("--address", default="http://127.0.0.1:8000", help="default: %(default)s")
    wanted = parser.parse_args()

    with httpx.Client(base_url=wanted.address) as farm:
        spec = {"input": wanted.input, "output": wanted.output, "preset": wanted.preset}
        answer = farm.post("/jobs", json=spec)
        if answer.is_error:  # problem details (RFC 9457) say what was wrong and what would be right
            print(answer.text, file=sys.stderr)
            return 1
        job = answer.json()
        while job["state"] not in ENDED:
            time.sleep(0.5)
            job = farm.get(f"/jobs/{job['id']}").raise_for_status().json()
            print(f"{job['state']:<10} {job['progress'] or 0:5.1f} %  eta {job['eta_seconds']} s")

    for output in job["outputs"]:
        print(f"{output['path']}: {output['video']}, {output['bytes']} bytes")
    if job["failure"]:
        print(job["failure"]["reason"], file=sys.stderr)
    return 0 if job["state"] == "completed" else 1


if __name__ == "__main__":
    sys.exit(main())
