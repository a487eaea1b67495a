"""`/metrics`, read the way Prometheus reads it."""

from __future__ import annotations

import httpx
import pytest
from fake_gateway import FakeGateway
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from ffrtmp_ray.errors import SchedulerUnavailable
from ffrtmp_ray.metrics import (
    ACTIVE_JOBS,
    JOB_DURATION_SECONDS,
    JOBS_TOTAL,
    METRICS,
    QUEUE_LENGTH,
    Histogram,
    Kind,
    Readings,
    Sample,
)
from serve.routes.metrics import ReadingsCollector

COUNTS = (0, 2, *[0] * (len(JOB_DURATION_SECONDS.buckets) - 2), 1)
READINGS = Readings(
    samples=(
        Sample(JOBS_TOTAL.name, ("completed",), 12),
        Sample(JOBS_TOTAL.name, ("failed",), 1),
        Sample(ACTIVE_JOBS.name, (), 3),
        Sample(QUEUE_LENGTH.name, ("live", "high"), 2),
    ),
    histograms=(Histogram(JOB_DURATION_SECONDS.name, COUNTS, 100_003.5),),
)


async def test_each_reading_is_shown_under_its_name_and_labels(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    gateway.readings_now = READINGS

    answer = await http.get("/metrics")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    samples = {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(answer.text)
        if family.type != "histogram"
        for sample in family.samples
    }
    assert samples == {
        ("ffrtmp_jobs_total", frozenset({("state", "completed")})): 12,
        ("ffrtmp_jobs_total", frozenset({("state", "failed")})): 1,
        ("ffrtmp_active_jobs", frozenset()): 3,
        ("ffrtmp_queue_length", frozenset({("queue", "live"), ("priority", "high")})): 2,
    }


async def test_a_histogram_is_cumulative_with_its_sum_and_count(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    gateway.readings_now = READINGS

    answer = await http.get("/metrics")

    family = next(f for f in parse(answer.text) if f.name == JOB_DURATION_SECONDS.name)
    buckets = {s.labels["le"]: s.value for s in family.samples if s.name.endswith("_bucket")}
    assert (buckets["1.0"], buckets["2.0"], buckets["86400.0"], buckets["+Inf"]) == (0, 2, 2, 3)
    totals = {s.name: s.value for s in family.samples if not s.labels}
    assert totals == {
        "ffrtmp_job_duration_seconds_count": 3,
        "ffrtmp_job_duration_seconds_sum": 100_003.5,
    }


async def test_every_defined_metric_is_described_even_before_it_has_a_value(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.get("/metrics")

    described = {family.name: family for family in parse(answer.text)}
    for metric in METRICS:
        name = metric.name.removesuffix("_total") if metric.kind is Kind.COUNTER else metric.name
        assert described[name].type == metric.kind
        assert described[name].documentation == metric.help


async def test_a_scraper_that_asks_for_openmetrics_gets_it(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    gateway.readings_now = READINGS

    answer = await http.get(
        "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0, text/plain"}
    )

    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert {family.name for family in parse_open(answer.text)} >= {"ffrtmp_jobs"}


async def test_without_the_scheduler_there_are_no_numbers(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    gateway.failing = SchedulerUnavailable("the scheduler does not answer")

    answer = await http.get("/metrics")

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_histogram_whose_counts_do_not_fit_its_buckets_is_a_defect() -> None:
    short = Readings(histograms=(Histogram(JOB_DURATION_SECONDS.name, (1, 2), 3.0),))

    with pytest.raises(ValueError, match="zip"):
        list(ReadingsCollector(short).collect())
