"""`/metrics` for Prometheus: the scheduler's numbers in its text format.

Every number comes from the scheduler at the moment of the scrape. A replica keeps none of its
own, so it does not matter which one is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from typing import Annotated

from fastapi import APIRouter, Header, Response
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from ffrtmp_ray.errors import SchedulerUnavailable
from ffrtmp_ray.metrics import METRICS, Histogram, Kind, Metric, Readings

from ..ports import TheGateway
from ..problems import documented

router = APIRouter(tags=["health"])

Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


class ReadingsCollector(Collector):
    """Shows one moment's readings to prometheus-client."""

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            if metric.kind is Kind.HISTOGRAM:
                yield self._histogram(metric)
            else:
                yield self._samples(metric)

    def _samples(self, metric: Metric) -> CounterMetricFamily | GaugeMetricFamily:
        counts = metric.kind is Kind.COUNTER
        make = CounterMetricFamily if counts else GaugeMetricFamily
        family = make(metric.name, metric.help, labels=metric.labels)
        for sample in self._readings.samples:
            if sample.metric == metric.name:
                family.add_metric(sample.labels, sample.value)
        return family

    def _histogram(self, metric: Metric) -> HistogramMetricFamily:
        family = HistogramMetricFamily(metric.name, metric.help)
        for histogram in self._readings.histograms:
            if histogram.metric == metric.name:
                family.add_metric((), _buckets(metric, histogram), histogram.total)
        return family


def _buckets(metric: Metric, histogram: Histogram) -> list[tuple[str, float]]:
    """Prometheus wants cumulative counts, each under the upper bound of its bucket."""
    bounds = [*map(floatToGoString, metric.buckets), "+Inf"]
    return list(zip(bounds, accumulate(histogram.counts), strict=True))


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={
        **documented(SchedulerUnavailable),
        200: {
            "description": "Prometheus' text format, or OpenMetrics where that is accepted.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
    },
)
async def metrics(
    gateway: TheGateway, accept: Annotated[str, Header(include_in_schema=False)] = ""
) -> Response:
    """Counters start anew when the scheduler is started anew, as Prometheus expects."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ReadingsCollector(await gateway.readings()))
    encode, content_type = choose_encoder(accept)
    return Response(encode(registry), headers={"Content-Type": content_type})
