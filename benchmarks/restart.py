"""How long a scheduler that starts takes to know its jobs again, from SQLite and from PostgreSQL.

    python -m benchmarks.restart

`Store.load` and the engine made of it, no Ray; each case in a process of its own. PostgreSQL is a
server of its own in a temporary folder. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

import psutil
from sqlalchemy import Connection, Table, Text, cast, func, insert, literal, select
from sqlalchemy.sql.elements import ColumnElement

from ffrtmp_ray.cluster import collector
from ffrtmp_ray.core.messages import Change, JobAdded, JobTransitioned, TaskAdded
from ffrtmp_ray.core.model import (
    Job,
    JobState,
    Needs,
    Policy,
    Priority,
    Queue,
    Requirement,
    Resources,
    Task,
    TaskState,
)
from ffrtmp_ray.core.scheduler import Scheduler
from ffrtmp_ray.store.open import migrate, open_store
from ffrtmp_ray.store.protocol import JobQuery, Store
from ffrtmp_ray.store.sql.engine import create_engine, for_writing, parse_url
from ffrtmp_ray.store.sql.tables import jobs, tasks, transitions
from support.postgresql import running_server

DEPTHS = (100_000, 1_000_000)
DATABASES = ("sqlite", "postgresql")
OWNERS = 1000
COMMITS, JOBS_PER_COMMIT = 10, 1000
NOW = 1_700_000_000.0
NEEDS = Needs((Requirement(Resources(plan_slots=1)),))
SPEC = {"input": "/srv/video/in.mov", "output": "/srv/video/out.mp4", "labels": {"reel": "a7"}}


def submitted(order: int) -> list[Change]:
    """What a submission commits."""
    job = Job(
        id=f"job{order}",
        owner=f"owner{order % OWNERS}",
        queue=Queue.DEFAULT,
        priority=Priority.MEDIUM,
        state=JobState.PENDING,
        submitted_at=NOW,
        order=order,
    )
    task = Task(f"job{order}-plan", job.id, "plan", "plan", NEEDS, TaskState.READY, ready_at=NOW)
    accepted = JobTransitioned(job.id, None, JobState.PENDING, NOW, "submitted", job.owner)
    return [JobAdded(job, SPEC), accepted, TaskAdded(task, SPEC)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--depths", type=int, nargs="+", default=DEPTHS)
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    wanted = parser.parse_args()
    results = {}
    for name in wanted.databases:
        for depth in wanted.depths:
            with database(name) as url, alone() as process:
                result = process.submit(measure, url, depth).result()
            results[f"{name}_{depth}"] = result
            print(f"{name}, {depth:,} jobs:", json.dumps(result), flush=True)
    load_average, _, _ = os.getloadavg()
    print(json.dumps(results | {"load_average_1m": round(load_average, 1)}))


@contextmanager
def database(name: str) -> Iterator[str]:
    """The URL of a migrated database without a job."""
    if name == "postgresql":
        with running_server() as server:
            url = server.url("postgres")
            migrate(url)
            yield url
    else:
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/ffrtmp.db"
            migrate(url)
            yield url


def alone() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def measure(url: str, depth: int) -> dict[str, float]:
    """The numbers of one case. CPU seconds are this process's, without a server's."""
    with closing(open_store(url, takeover_seconds=10)) as store:
        epoch = store.take_epoch("benchmark", "1")
        committed = commits_a_second(store, epoch)
        fill(url, depth)
        collector.look_once()
        process = psutil.Process()
        before = process.memory_info().rss
        began, cpu = time.perf_counter(), time.process_time()
        with collector.loading():
            loaded = store.load()
            load_seconds, load_cpu = time.perf_counter() - began, time.process_time() - cpu
            began, cpu = time.perf_counter(), time.process_time()
            engine = Scheduler(Policy(), epoch, loaded.snapshot, NOW)
            engine_seconds, engine_cpu = time.perf_counter() - began, time.process_time() - cpu
        check(len(engine.jobs), depth)
        memory = process.memory_info().rss - before
        began = time.perf_counter()
        store.jobs(JobQuery(owner="owner7"))
        return {
            "load_seconds": round(load_seconds, 2),
            "load_cpu_seconds": round(load_cpu, 2),
            "engine_seconds": round(engine_seconds, 2),
            "engine_cpu_seconds": round(engine_cpu, 2),
            "memory_bytes_per_job": round(memory / depth),
            "listing_seconds": round(time.perf_counter() - began, 4),
            "jobs_committed_per_second": round(committed),
        }


def commits_a_second(store: Store, epoch: int) -> float:
    """Jobs a second, a thousand to a commit."""
    batches = [
        [change for order in range(first, first + JOBS_PER_COMMIT) for change in submitted(order)]
        for first in range(1, COMMITS * JOBS_PER_COMMIT, JOBS_PER_COMMIT)
    ]
    began = time.perf_counter()
    for batch in batches:
        store.commit(epoch, batch)
    return COMMITS * JOBS_PER_COMMIT / (time.perf_counter() - began)


def fill(url: str, depth: int) -> None:
    """Make as many jobs of those that are there as are wanted, within the database."""
    engine = create_engine(parse_url(url))
    with for_writing(engine).begin() as connection:
        there = COMMITS * JOBS_PER_COMMIT
        while there < depth:
            add = min(there, depth - there)
            for table in (jobs, tasks, transitions):
                repeat(connection, table, there, add)
            there += add
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")  # as its autovacuum does within minutes
    engine.dispose()


def repeat(connection: Connection, table: Table, there: int, add: int) -> None:
    """The rows of the first `add` jobs once more, `there` places further on."""
    order = jobs.c.order + there
    job_id = literal("job") + cast(order, Text)
    new: dict[str, ColumnElement[Any]] = {
        "order": order,
        "owner": literal("owner") + cast(order % OWNERS, Text),
        "job_id": job_id,
        "id": job_id + (literal("-plan") if table is tasks else literal("")),
    }
    columns = [column for column in table.c if column.name != "seq"]
    rows = select(*(new.get(column.name, column) for column in columns)).where(jobs.c.order <= add)
    if table is not jobs:
        rows = rows.where(table.c.job_id == jobs.c.id)
    connection.execute(insert(table).from_select([column.name for column in columns], rows))
    check(connection.scalar(select(func.count()).select_from(table)), there + add)


def check(found: int | None, wanted: int) -> None:
    if found != wanted:
        raise SystemExit(f"there are {found} jobs in place of {wanted}: nothing is measured")


if __name__ == "__main__":
    main()
