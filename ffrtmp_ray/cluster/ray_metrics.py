"""The metrics of `ffrtmp_ray.metrics` through Ray's own Prometheus export.

Holds no numbers of its own: it publishes the readings of the scheduler's process, and must run
in that process alone, or counters would be counted twice. What Ray makes of them:

- A name gets `ray_` before it. A counter keeps the `_total` that its name ends with.
- Ray adds labels (Component, NodeAddress, SessionName, Version, WorkerId), of which WorkerId
  changes when the scheduler is started again. Queries aggregate over them.
- A counter is seen from its first increment on: Ray takes no increment of zero.
- A gauge that is not set again is dropped after two of Ray's report intervals. So the gauges of a
  worker that is gone go by themselves, as long as all present ones are set in every interval.
"""

from __future__ import annotations

from collections.abc import Mapping

from ray.util.metrics import Counter, Gauge
from ray.util.metrics import Histogram as RayHistogram

from ffrtmp_ray.metrics import METRICS, Histogram, Kind, Metric, Readings, Sample


class RayMetrics:
    """Made once in the scheduler's process, and given all readings about once a second."""

    def __init__(self) -> None:
        self._metrics = {metric.name: metric for metric in METRICS}
        self._counters = {
            metric.name: Counter(metric.name, metric.help, metric.labels)
            for metric in _of_kind(Kind.COUNTER)
        }
        self._gauges = {
            metric.name: Gauge(metric.name, metric.help, metric.labels)
            for metric in _of_kind(Kind.GAUGE)
        }
        self._histograms = {
            metric.name: RayHistogram(metric.name, metric.help, list(metric.buckets))
            for metric in _of_kind(Kind.HISTOGRAM)
        }
        # Counts published so far. Those of workers that are gone stay: Ray keeps their counters
        # as long, and forgetting one that comes back would count it again from nothing.
        self._counted: dict[tuple[str, tuple[str, ...]], float] = {}
        self._observed: dict[str, tuple[int, ...]] = {}

    def publish(self, readings: Readings) -> None:
        """Hand the present values to Ray. `readings` is complete: what it lacks is gone."""
        for sample in readings.samples:
            tags = dict(zip(self._metrics[sample.metric].labels, sample.labels, strict=True))
            if sample.metric in self._counters:
                self._count(sample, tags)
            else:
                self._gauges[sample.metric].set(sample.value, tags)
        for histogram in readings.histograms:
            self._observe(histogram)

    def _count(self, sample: Sample, tags: Mapping[str, str]) -> None:
        key = (sample.metric, sample.labels)
        before = self._counted.get(key, 0.0)
        self._counted[key] = sample.value
        # a value below the last one has begun again from zero
        increment = sample.value - before if sample.value >= before else sample.value
        if increment > 0:
            self._counters[sample.metric].inc(increment, dict(tags))

    def _observe(self, histogram: Histogram) -> None:
        """Observe what was added to each bucket at the bucket's representative value.

        The sum that Ray exports is therefore approximate. It would be so in any case: Ray's agent
        is sent counts per bucket, and makes the sum of the same representative values.
        """
        before = self._observed.get(histogram.metric, (0,) * len(histogram.counts))
        self._observed[histogram.metric] = histogram.counts
        instrument = self._histograms[histogram.metric]
        values = representatives(self._metrics[histogram.metric].buckets)
        for value, old, new in zip(values, before, histogram.counts, strict=True):
            for _ in range(new - old):
                instrument.observe(value)


def representatives(buckets: tuple[float, ...]) -> tuple[float, ...]:
    """A value inside each bucket, and one above all: the middle, and twice the last bound.

    The same as in `register_histogram_metric` of Ray 2.60
    (`ray/_private/telemetry/open_telemetry_metric_recorder.py`). `buckets` are upper bounds above
    zero, rising.
    """
    lower_bounds = (0.0, *buckets[:-1])
    middles = ((low + high) / 2 for low, high in zip(lower_bounds, buckets, strict=True))
    return (*middles, buckets[-1] * 2)


def _of_kind(kind: Kind) -> list[Metric]:
    return [metric for metric in METRICS if metric.kind is kind]
