"""Prometheus' recording and alerting rules: what to be woken for, and what to do then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dashboards.promql import PromQL, Query, count, ratio
from ffrtmp_ray.metrics import (
    ACTIVE_JOBS,
    JOBS_TOTAL,
    QUEUE_LENGTH,
    SCHEDULE_ATTEMPTS_TOTAL,
    WORKER_ACTIVE_JOBS,
    WORKER_GPU_TEMPERATURE_CELSIUS,
    WORKER_HEARTBEATS_TOTAL,
    WORKER_NODE_MEMORY_TOTAL_BYTES,
    WORKER_NODE_MEMORY_USED_BYTES,
)

Json = dict[str, Any]

WAITING = "ffrtmp:jobs_waiting:sum"
FAILURE_RATIO = "ffrtmp:job_failures:ratio_rate15m"


@dataclass(frozen=True, slots=True)
class Alert:
    name: str
    expr: str
    lasting: str
    """How long it must hold, as Prometheus writes durations."""
    severity: str
    """`critical`: nothing is done until somebody acts. `warning`: it can wait for the morning."""
    summary: str
    description: str
    """What to look at and what to do."""


def rules(promql: PromQL) -> Json:
    """The content of a rule file."""
    return {
        "groups": [
            {"name": "ffrtmp-recorded", "rules": _recorded(promql)},
            {"name": "ffrtmp-alerts", "rules": [_rendered(alert) for alert in _alerts(promql)]},
        ]
    }


def _recorded(promql: PromQL) -> list[Json]:
    failed = promql.rate(JOBS_TOTAL, window="15m", state="failed")
    ended = promql.rate(JOBS_TOTAL, window="15m", state=("completed", "failed"))
    return [
        {"record": WAITING, "expr": promql.total(QUEUE_LENGTH).expr},
        {"record": FAILURE_RATIO, "expr": ratio(failed, ended).expr},
    ]


def _alerts(promql: PromQL) -> tuple[Alert, ...]:
    return (*_scheduler_alerts(promql), *_job_alerts(promql), *_node_alerts(promql))


def _scheduler_alerts(promql: PromQL) -> tuple[Alert, ...]:
    active = promql.latest(ACTIVE_JOBS).expr
    waits = f"{WAITING} > 0 and on () {active} == 0"
    workers = promql.latest(WORKER_ACTIVE_JOBS, "worker")
    return (
        Alert(
            "FfrtmpSchedulerSilent",
            f"absent({active})",
            "1m",
            "critical",
            "Prometheus gets no numbers from the scheduler",
            "It is down, it waits for another scheduler's claim on the store to end, or it is not "
            "scraped. `curl -s HOST:8000/ready` says which.",
        ),
        Alert(
            "FfrtmpNoWorkers",
            f"({count(workers).expr}) == 0 and on () {active} >= 0",
            "2m",
            "critical",
            "The scheduler hears from no worker",
            "Jobs are accepted and wait. `ray status` shows the nodes that are left.",
        ),
        Alert(
            "FfrtmpNothingPlaced",
            waits,
            "5m",
            "critical",
            "Jobs wait and none is worked on",
            "`ffrtmp job ID` of a waiting job says what it waits for; `ffrtmp workers` shows "
            "whether all are draining.",
        ),
        Alert(
            "FfrtmpWorkerSlowToAnswer",
            f"{promql.rate(WORKER_HEARTBEATS_TOTAL, 'worker', window='2m').expr} < 0.3 "
            f"and on (worker) {workers.expr} >= 0",
            "2m",
            "warning",
            "Worker {{ $labels.worker }} answers less than every three seconds",
            "It should every second. Its node is starved of CPU or memory, or the network drops "
            "packets; after five seconds of silence the worker is given up.",
        ),
    )


def _job_alerts(promql: PromQL) -> tuple[Alert, ...]:
    failed: Query = promql.increase(JOBS_TOTAL, window="15m", state="failed")
    unmet = promql.increase(SCHEDULE_ATTEMPTS_TOTAL, window="10m", result="unmet")
    live = promql.total(QUEUE_LENGTH, queue="live")
    return (
        Alert(
            "FfrtmpJobsFail",
            f"{FAILURE_RATIO} > 0.2 and on () {failed.expr} >= 3",
            "5m",
            "warning",
            "Over a fifth of the jobs that end have failed",
            "`ffrtmp jobs --state failed` lists them with their reasons. Many with the same reason "
            "point to storage, a full disk or a bad node, not to the inputs.",
        ),
        Alert(
            "FfrtmpNoWorkerCanDoIt",
            f"{unmet.expr} > 0",
            "10m",
            "warning",
            "There are tasks that no worker can do",
            "Their needs (a GPU, an encoder, more CPUs) are met by no worker that there is. They "
            "hold up nobody, and wait.",
        ),
        Alert(
            "FfrtmpLiveJobWaits",
            f"{live.expr} > 0",
            "1m",
            "critical",
            "A live job waits for a place",
            "Live jobs take the place of all others, so the farm is full of live jobs, or no "
            "worker can do this one.",
        ),
    )


def _node_alerts(promql: PromQL) -> tuple[Alert, ...]:
    memory = ratio(
        promql.latest(WORKER_NODE_MEMORY_USED_BYTES, "worker"),
        promql.latest(WORKER_NODE_MEMORY_TOTAL_BYTES, "worker"),
    )
    temperature = promql.latest(WORKER_GPU_TEMPERATURE_CELSIUS, "worker", "gpu")
    return (
        Alert(
            "FfrtmpNodeMemoryNearlyFull",
            f"{memory.expr} > 0.9",
            "5m",
            "warning",
            "The node of {{ $labels.worker }} has {{ $value | humanizePercentage }} of its memory "
            "in use",
            "At 95 % Ray kills workers, and their encodes start again. Give the node fewer CPUs "
            "(`ray start --num-cpus`), so that fewer encodes run at once.",
        ),
        Alert(
            "FfrtmpGpuHot",
            f"{temperature.expr} > 87",
            "5m",
            "warning",
            "GPU {{ $labels.gpu }} of {{ $labels.worker }} is at {{ $value }} °C",
            "It slows itself down to stay whole. Look at its fans and at the air that it gets.",
        ),
    )


def _rendered(alert: Alert) -> Json:
    return {
        "alert": alert.name,
        "expr": alert.expr,
        "for": alert.lasting,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "description": alert.description},
    }
