"""The committed files are what the program builds, and have the structure that Grafana loads."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from dashboards.build import HERE, files
from dashboards.grafana import COLUMNS, DATASOURCE
from dashboards.promql import PromQL
from ffrtmp_ray.metrics import METRICS

BUILT = files(PromQL())
DASHBOARDS = {path.stem: json.loads(text) for path, text in BUILT.items() if path.suffix == ".json"}
PANEL_TYPES = {"row", "timeseries", "stat", "table", "heatmap"}

each_dashboard = pytest.mark.parametrize("board", DASHBOARDS.values(), ids=DASHBOARDS.keys())


def queries(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [target for panel in board["panels"] for target in panel.get("targets", ())]


@pytest.mark.parametrize("path", BUILT, ids=str)
def test_the_committed_file_is_what_is_built(path: Path) -> None:
    committed = (HERE / path).read_text(encoding="utf-8")

    assert committed == BUILT[path], "run: python -m dashboards.build"


def test_the_three_dashboards_are_there() -> None:
    assert {board["title"] for board in DASHBOARDS.values()} == {
        "Distributed Job Scheduler",
        "Worker Node Monitoring",
        "Hardware Details",
    }
    assert len({board["uid"] for board in DASHBOARDS.values()}) == 3
    committed = {path.name for path in (HERE / "grafana").iterdir()}
    assert committed == {path.name for path in BUILT if path.suffix == ".json"}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_shown_somewhere(metric: Any) -> None:
    assert any(metric.name in q["expr"] for board in DASHBOARDS.values() for q in queries(board))


@each_dashboard
def test_the_outer_object_is_complete(board: dict[str, Any]) -> None:
    assert board["schemaVersion"] >= 36  # below it, datasources were plain names
    assert "id" not in board  # given by the database of the Grafana that loads it
    assert 8 <= len(board["uid"]) <= 40
    assert set(board["time"]) == {"from", "to"}
    assert {v["name"]: v["type"] for v in board["templating"]["list"]}["datasource"] == "datasource"


@each_dashboard
def test_panels_have_ids_of_their_own_and_known_types(board: dict[str, Any]) -> None:
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    assert {panel["type"] for panel in board["panels"]} <= PANEL_TYPES
    assert all(panel["title"] for panel in board["panels"])
    assert all(panel["description"] for panel in board["panels"] if panel["type"] != "row")


@each_dashboard
def test_panels_lie_inside_the_grid_and_over_no_other(board: dict[str, Any]) -> None:
    places = [panel["gridPos"] for panel in board["panels"]]
    for place in places:
        assert place["x"] >= 0
        assert place["y"] >= 0
        assert place["w"] > 0
        assert place["h"] > 0
        assert place["x"] + place["w"] <= COLUMNS
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        apart = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or apart, f"{one} and {other} overlap"


@each_dashboard
def test_every_query_has_a_name_in_its_panel_and_asks_the_chosen_datasource(
    board: dict[str, Any],
) -> None:
    for panel in board["panels"]:
        if panel["type"] == "row":
            continue
        names = [target["refId"] for target in panel["targets"]]
        assert names
        assert len(set(names)) == len(names)
        assert all(q["datasource"] == DATASOURCE == panel["datasource"] for q in panel["targets"])


@each_dashboard
def test_every_variable_that_a_query_uses_is_declared(board: dict[str, Any]) -> None:
    declared = {variable["name"] for variable in board["templating"]["list"]}
    used = {"worker"} if any("$worker" in query["expr"] for query in queries(board)) else set()

    assert declared == used | {"datasource"}


@each_dashboard
def test_a_table_names_each_column_or_hides_it(board: dict[str, Any]) -> None:
    for panel in board["panels"]:
        if panel["type"] == "table":
            organize = panel["transformations"][-1]["options"]
            values = {f"Value #{target['refId']}" for target in panel["targets"]}
            assert values <= set(organize["renameByName"]) | set(organize["excludeByName"])
