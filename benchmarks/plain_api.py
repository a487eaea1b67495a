"""The alternative that `submissions` measures beside the farm: FastAPI on uvicorn, one durable
insert into SQLite for each request, in one process. It validates the same spec, and no more.

    python -m benchmarks.plain_api DATABASE PORT
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from pathlib import Path
from uuid import uuid4

import uvicorn
from fastapi import FastAPI

from ffrtmp_ray.media.spec import JobSpec


def make_app(database: Path) -> FastAPI:
    """Its one route commits before it answers, as the farm does."""
    local = threading.local()

    def connection() -> sqlite3.Connection:
        if not hasattr(local, "connection"):
            local.connection = sqlite3.connect(database, timeout=30)
            local.connection.execute("PRAGMA journal_mode = WAL")
            local.connection.execute("PRAGMA synchronous = FULL")
        held: sqlite3.Connection = local.connection
        return held

    with connection() as first:
        first.execute("CREATE TABLE jobs (id TEXT PRIMARY KEY, state TEXT, spec TEXT)")
    app = FastAPI()

    @app.post("/jobs", status_code=201)
    def submit(spec: JobSpec) -> dict[str, str]:
        job_id = uuid4().hex
        with connection() as here:
            here.execute(
                "INSERT INTO jobs VALUES (?, 'pending', ?)", (job_id, spec.model_dump_json())
            )
        return {"id": job_id}

    return app


if __name__ == "__main__":
    app = make_app(Path(sys.argv[1]))
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
