"""Queries made from metric definitions: what they say, and what cannot be said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dashboards.panels import Target
from dashboards.promql import PromQL, Query, count, or_zero, ratio, scaled
from ffrtmp_ray.metrics import (
    ACTIVE_JOBS,
    JOB_DURATION_SECONDS,
    JOBS_TOTAL,
    QUEUE_LENGTH,
    WORKER_CPU_USAGE,
)

promql = PromQL()


@pytest.mark.parametrize(
    ("query", "expr"),
    [
        (promql.latest(ACTIVE_JOBS), "max (ffrtmp_active_jobs)"),
        (
            promql.latest(WORKER_CPU_USAGE, "worker", worker="$worker"),
            'max by (worker) (ffrtmp_worker_cpu_usage{worker=~"$worker"})',
        ),
        (
            promql.total(QUEUE_LENGTH, "queue"),
            "sum by (queue) (max by (queue, priority) (ffrtmp_queue_length))",
        ),
        (
            promql.mean(WORKER_CPU_USAGE),
            "avg (max by (worker) (ffrtmp_worker_cpu_usage))",
        ),
        (
            promql.rate(JOBS_TOTAL, "state"),
            "sum by (state) (rate(ffrtmp_jobs_total[$__rate_interval]))",
        ),
        (
            promql.increase(JOBS_TOTAL, state=("completed", "failed")),
            'sum (increase(ffrtmp_jobs_total{state=~"completed|failed"}[$__range]))',
        ),
        (
            promql.quantile(0.95, JOB_DURATION_SECONDS, window="5m"),
            "histogram_quantile(0.95, sum by (le) (rate(ffrtmp_job_duration_seconds_bucket[5m])))",
        ),
        (
            PromQL("ray_").rate(JOBS_TOTAL, state="failed", window="5m"),
            'sum (rate(ray_ffrtmp_jobs_total{state="failed"}[5m]))',
        ),
        (ratio(Query("a"), Query("b")), "a / b"),
        (scaled(60, Query("a", ("x",))), "60 * a"),
        (count(Query("a", ("x",))), "count(a) or vector(0)"),
        (or_zero(Query("a")), "a or vector(0)"),
    ],
)
def test_a_query_says(query: Query, expr: str) -> None:
    assert query.expr == expr


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: promql.latest(JOBS_TOTAL), "ffrtmp_jobs_total is a counter, not a gauge"),
        (lambda: promql.rate(ACTIVE_JOBS), "ffrtmp_active_jobs is a gauge, not a counter"),
        (lambda: promql.quantile(0.5, ACTIVE_JOBS), "is a gauge, not a histogram"),
        (lambda: promql.rate(JOBS_TOTAL, "queue"), r"no label \['queue'\], it has \['state'\]"),
        (lambda: promql.total(QUEUE_LENGTH, "state"), r"no label \['state'\]"),
        (lambda: promql.latest(ACTIVE_JOBS, worker="w1"), r"no label \['worker'\]"),
        (lambda: ratio(Query("a", ("x",)), Query("b")), "the labels differ"),
        (lambda: or_zero(Query("a", ("x",))), "cannot default to one zero"),
        (lambda: Target(promql.rate(JOBS_TOTAL), "{{state}}"), "the legend names {'state'}"),
    ],
)
def test_a_query_that_would_find_nothing_cannot_be_made(
    make: Callable[[], object], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        make()
