"""Every query of every dashboard and rule, run by a real Prometheus that scrapes a made-up farm."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from dashboards.build import HERE, files
from dashboards.promql import PromQL
from dashboards.rules import rules
from ffrtmp_ray.metrics import WORKER_HEARTBEATS_TOTAL
from tests.dashboards.prometheus import label_values, made_up_farm, prometheus, promtool, query
from tests.support.made_up_readings import WORKERS
from tests.support.waiting import until

BOTH_EXPORTS = (PromQL(), PromQL("ray_"))


def built_dashboards() -> Iterator[tuple[str, dict[str, Any]]]:
    for promql in BOTH_EXPORTS:
        for path, text in files(promql).items():
            if path.suffix == ".json":
                yield f"{promql.prefix}{path.stem}", json.loads(text)


def panel_queries() -> Iterator[Any]:
    for name, board in built_dashboards():
        for panel in board["panels"]:
            for target in panel.get("targets", ()):
                expr = as_grafana_asks(target["expr"])
                yield pytest.param(expr, id=f"{name}: {panel['title']}, {target['refId']}")


def as_grafana_asks(expr: str) -> str:
    """With its variables replaced, all workers being chosen."""
    for variable, value in (("$__rate_interval", "10s"), ("$__range", "1m"), ("$worker", ".+")):
        expr = expr.replace(variable, value)
    return expr


def worker_choices() -> Iterator[Any]:
    for name, board in built_dashboards():
        for variable in board["templating"]["list"]:
            if variable["type"] == "query":
                yield pytest.param(variable["query"]["query"], id=name)


def rule_queries(kind: str) -> Iterator[Any]:
    for promql in BOTH_EXPORTS:
        for group in rules(promql)["groups"]:
            for rule in group["rules"]:
                if kind in rule:
                    yield pytest.param(rule["expr"], id=f"{promql.prefix}{rule[kind]}")


@pytest.fixture(scope="module")
def scraping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus that has scraped both exports often enough for rates."""
    with made_up_farm() as port:
        target = {"static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
        config = {
            "global": {"scrape_interval": "200ms"},
            "scrape_configs": [
                {"job_name": "ffrtmp", "metrics_path": "/metrics", **target},
                {"job_name": "ray", "metrics_path": "/ray", **target},
            ],
        }
        with prometheus(config, tmp_path_factory.mktemp("prometheus")) as address:
            rates = [
                as_grafana_asks(promql.rate(WORKER_HEARTBEATS_TOTAL).expr)
                for promql in BOTH_EXPORTS
            ]
            until(lambda: all(query(address, rate) for rate in rates))
            yield address


@pytest.mark.parametrize("expr", list(panel_queries()))
def test_a_panel_finds_data(scraping: str, expr: str) -> None:
    found = query(scraping, expr)

    assert found
    assert all(series["value"][1] != "NaN" for series in found)


@pytest.mark.parametrize("choice", list(worker_choices()))
def test_the_workers_can_be_chosen(scraping: str, choice: str) -> None:
    asked = re.fullmatch(r"label_values\((\w+), (\w+)\)", choice)
    assert asked is not None

    assert label_values(scraping, *asked.groups()) == sorted(WORKERS)


@pytest.mark.parametrize("expr", list(rule_queries("record")))
def test_what_is_recorded_has_a_value(scraping: str, expr: str) -> None:
    assert query(scraping, expr)


@pytest.mark.parametrize("expr", list(rule_queries("alert")))
def test_what_an_alert_asks_can_be_asked(scraping: str, expr: str) -> None:
    assert len(query(scraping, expr)) <= len(WORKERS)


def test_promtool_finds_no_fault_in_the_configuration_and_its_rules() -> None:
    said = promtool("check", "config", HERE / "prometheus" / "prometheus.yml")

    assert "1 rule files found" in said
    assert "valid prometheus config" in said
