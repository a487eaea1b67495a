"""Readings in which every metric has a value: no two of them the same, so none is mistaken."""

from __future__ import annotations

from itertools import count

from ffrtmp_ray.core.model import JobState, Priority, Queue
from ffrtmp_ray.metrics import METRICS, Histogram, Kind, Metric, Readings, Sample

WORKERS = ("worker-n1-cpu-1", "worker-n2-gpu0-2")
_VALUES = {
    "state": tuple(JobState),
    "queue": tuple(Queue),
    "priority": tuple(Priority),
    "result": ("placed", "preempted", "no_room", "unmet"),
    "worker": WORKERS,
    "gpu": ("0",),
    "name": ("NVIDIA L4",),
}


def made_up_readings(start: int = 1, workers: tuple[str, ...] = WORKERS) -> Readings:
    """Values are `start`, `start + 1`, … in the order of `METRICS`; gauges and counters alike."""
    numbers = count(start)
    samples = tuple(
        Sample(metric.name, labels, float(next(numbers)))
        for metric in METRICS
        if metric.kind is not Kind.HISTOGRAM
        for labels in _label_sets(metric.labels, _VALUES | {"worker": workers})
    )
    histograms = tuple(
        _histogram(metric, start) for metric in METRICS if metric.kind is Kind.HISTOGRAM
    )
    return Readings(samples, histograms)


def _label_sets(
    names: tuple[str, ...], values: dict[str, tuple[str, ...]]
) -> list[tuple[str, ...]]:
    sets: list[tuple[str, ...]] = [()]
    for name in names:
        sets = [(*chosen, str(value)) for chosen in sets for value in values[name]]
    return sets


def _histogram(metric: Metric, start: int) -> Histogram:
    counts = tuple(start + bucket for bucket in range(len(metric.buckets) + 1))
    tops = (*metric.buckets, metric.buckets[-1] * 2)
    return Histogram(metric.name, counts, sum(n * top for n, top in zip(counts, tops, strict=True)))
