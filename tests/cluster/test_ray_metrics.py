"""Ray's export: what is published is what a scrape of the node's own endpoint finds."""

from __future__ import annotations

import urllib.request
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
import ray
from prometheus_client import Metric as Family
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.utils import floatToGoString

from ffrtmp_ray.cluster.ray_metrics import RayMetrics, representatives
from ffrtmp_ray.metrics import (
    JOB_DURATION_SECONDS,
    METRICS,
    WORKER_HEARTBEATS_TOTAL,
    Readings,
    Sample,
)
from tests.support.made_up_readings import WORKERS, made_up_readings
from tests.support.waiting import until

Found = dict[tuple[str, frozenset[tuple[str, str]]], float]
"""Values by name, without `ray_`, and by our labels, without Ray's."""
OUR_LABELS = {label for metric in METRICS for label in metric.labels} | {"le"}


@dataclass
class Export:
    """A process of Ray that publishes, and the endpoint at which its node is scraped."""

    publisher: Any
    worker_id: str
    """Ray's name for the process, a label of all that it exports."""
    url: str

    def publish(self, readings: Readings) -> None:
        ray.get(self.publisher.publish.remote(readings))

    def families(self) -> list[Family]:
        with urllib.request.urlopen(self.url, timeout=10) as answer:  # noqa: S310 - our own URL
            families = text_string_to_metric_families(answer.read().decode())
            return [family for family in families if family.name.startswith("ray_ffrtmp_")]

    def scrape(self) -> Found:
        return {
            (sample.name.removeprefix("ray_"), _ours(sample.labels)): sample.value
            for family in self.families()
            for sample in family.samples
            if sample.labels["WorkerId"] == self.worker_id
        }

    def shows(self, wanted: Found, readings: Readings) -> Found:
        """All that is found once `wanted` is among it. Publishes `readings` until then, as the
        scheduler does every second."""

        def found() -> Found:
            self.publish(readings)
            all_found = self.scrape()
            return all_found if wanted.items() <= all_found.items() else {}

        return until(found, 20)


def _ours(labels: dict[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset((name, value) for name, value in labels.items() if name in OUR_LABELS)


def by_name(readings: Readings) -> Found:
    """Counters and gauges, as a scrape shows them."""
    labels = {metric.name: metric.labels for metric in METRICS}
    return {
        (s.metric, frozenset(zip(labels[s.metric], s.labels, strict=True))): s.value
        for s in readings.samples
    }


def durations(readings: Readings) -> Found:
    """The buckets and the count of the histogram, as a scrape shows them: cumulative."""
    name = JOB_DURATION_SECONDS.name
    totals = list(accumulate(readings.histograms[0].counts))
    bounds = [*map(floatToGoString, JOB_DURATION_SECONDS.buckets), "+Inf"]
    buckets = {
        (f"{name}_bucket", frozenset({("le", bound)})): float(total)
        for bound, total in zip(bounds, totals, strict=True)
    }
    return buckets | {(f"{name}_count", frozenset()): float(totals[-1])}


@pytest.fixture(scope="module")
def endpoint(ray_dir: Path) -> Iterator[str]:
    """Ray on this machine, reporting metrics every second; where its node is scraped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_metrics_report_interval_ms", "1000")
        ray.init(
            address="local",
            num_cpus=1,
            include_dashboard=False,
            log_to_driver=False,
            _temp_dir=str(ray_dir / "ray"),
        )
        node = ray.nodes()[0]
        yield f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"
        ray.shutdown()


@pytest.fixture
def export(endpoint: str) -> Iterator[Export]:
    publisher = ray.remote(num_cpus=0)(RayMetrics).remote()
    worker_id = publisher.__ray_call__.remote(lambda _: ray.get_runtime_context().get_worker_id())
    yield Export(publisher, ray.get(worker_id), endpoint)
    ray.kill(publisher)


def test_every_metric_comes_out_with_its_kind_its_labels_and_its_value(export: Export) -> None:
    readings = made_up_readings()

    export.shows(by_name(readings) | durations(readings), readings)

    kinds = {family.name.removeprefix("ray_"): family.type for family in export.families()}
    assert kinds == {metric.name.removesuffix("_total"): metric.kind for metric in METRICS}


def test_what_is_published_again_counts_only_what_was_added(export: Export) -> None:
    before, after = made_up_readings(1), made_up_readings(4)
    export.shows(by_name(before) | durations(before), before)

    export.shows(by_name(after) | durations(after), after)


def test_a_count_that_begins_anew_is_added_to_the_one_before(export: Export) -> None:
    heartbeats = WORKER_HEARTBEATS_TOTAL.name, (WORKERS[0],)
    first, again = Readings((Sample(*heartbeats, 10),)), Readings((Sample(*heartbeats, 2),))
    export.shows(by_name(first), first)

    (key,) = by_name(again)
    export.shows({key: 12.0}, again)


def test_the_gauges_of_a_worker_that_is_gone_go_and_the_others_stay(export: Export) -> None:
    everything, rest = made_up_readings(), made_up_readings(workers=WORKERS[:1])
    export.shows(by_name(everything), everything)

    def gauges_of(worker: str) -> Found:
        return {
            key: value
            for key, value in export.scrape().items()
            if ("worker", worker) in key[1] and key[0] != WORKER_HEARTBEATS_TOTAL.name
        }

    def gone() -> bool:
        export.publish(rest)
        return not gauges_of(WORKERS[1])

    until(gone, 20)
    assert gauges_of(WORKERS[0])


def test_a_representative_value_falls_into_its_own_bucket() -> None:
    buckets = JOB_DURATION_SECONDS.buckets

    found = [bisect_left(buckets, value) for value in representatives(buckets)]

    assert found == list(range(len(buckets) + 1))
