"""Worker Node Monitoring: which workers there are, how busy each is, whether each is heard from."""

from __future__ import annotations

from dashboards.panels import Dashboard, Panel, Row, Style, Target, Unit, Variable, number
from dashboards.promql import PromQL, Query, count
from ffrtmp_ray.metrics import (
    WORKER_ACTIVE_JOBS,
    WORKER_CPU_USAGE,
    WORKER_HEARTBEATS_TOTAL,
    WORKER_MEMORY_BYTES,
    Metric,
)

CHOSEN = "$worker"


def workers_dashboard(promql: PromQL) -> Dashboard:
    return Dashboard(
        uid="ffrtmp-workers",
        title="Worker Node Monitoring",
        description="The workers: an actor for each node's CPUs, and one for each GPU.",
        variables=(Variable("worker", "Worker", f"{promql.prefix}{WORKER_ACTIVE_JOBS.name}"),),
        rows=(
            Row("Now", (*_now(promql), _table(promql))),
            Row("Load", _load(promql)),
            Row("Heartbeats", (_heartbeats(promql),)),
        ),
    )


def _each(promql: PromQL, metric: Metric) -> Query:
    return promql.latest(metric, "worker", worker=CHOSEN)


def _heartbeat_rate(promql: PromQL) -> Query:
    return promql.rate(WORKER_HEARTBEATS_TOTAL, "worker", worker=CHOSEN)


def _now(promql: PromQL) -> tuple[Panel, ...]:
    return (
        number(
            "Workers",
            "Those that the scheduler hears from.",
            Target(count(_each(promql, WORKER_ACTIVE_JOBS)), "workers"),
        ),
        number(
            "Jobs on workers",
            "A job with tasks on two workers counts on both.",
            Target(promql.total(WORKER_ACTIVE_JOBS, worker=CHOSEN), "jobs"),
        ),
        number(
            "Mean CPU use",
            "Over the workers' nodes.",
            Target(promql.mean(WORKER_CPU_USAGE, worker=CHOSEN), "CPU"),
            Unit.PERCENT,
        ),
        number(
            "Memory of workers",
            "Of all workers and the processes that they started.",
            Target(promql.total(WORKER_MEMORY_BYTES, worker=CHOSEN), "memory"),
            Unit.BYTES,
        ),
    )


def _table(promql: PromQL) -> Panel:
    return Panel(
        "Workers",
        "One line each, as they are now.",
        (
            Target(_each(promql, WORKER_ACTIVE_JOBS), "Jobs"),
            Target(_each(promql, WORKER_CPU_USAGE), "CPU", Unit.PERCENT),
            Target(_each(promql, WORKER_MEMORY_BYTES), "Memory", Unit.BYTES),
            Target(
                _heartbeat_rate(promql),
                "Heartbeats",
                Unit.PER_SECOND,
            ),
        ),
        style=Style.TABLE,
        width=24,
    )


def _load(promql: PromQL) -> tuple[Panel, ...]:
    return (
        Panel(
            "CPU use",
            "Of all CPUs of the worker's node. A farm with work to do should be near 100; one "
            "that waits with low use lacks fitting tasks, or its input is slow to read.",
            (Target(_each(promql, WORKER_CPU_USAGE), "{{worker}}"),),
            Unit.PERCENT,
            top=100,
            width=8,
        ),
        Panel(
            "Memory",
            "Of the worker and the processes that it started. When a node's memory runs out, Ray "
            "kills workers and their encodes start again.",
            (Target(_each(promql, WORKER_MEMORY_BYTES), "{{worker}}"),),
            Unit.BYTES,
            width=8,
            stacked=True,
        ),
        Panel(
            "Jobs",
            "Jobs with a task on the worker.",
            (Target(_each(promql, WORKER_ACTIVE_JOBS), "{{worker}}"),),
            width=8,
            stacked=True,
        ),
    )


def _heartbeats(promql: PromQL) -> Panel:
    return Panel(
        "Heartbeats",
        "Polls that the worker answered, a second: one where nothing happens, more where tasks "
        "start and end. A worker that answers none is given up within seconds, its line ends, and "
        "its tasks start again elsewhere.",
        (Target(_heartbeat_rate(promql), "{{worker}}"),),
        Unit.PER_SECOND,
        width=24,
    )
