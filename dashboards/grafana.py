"""Dashboards as the JSON that Grafana loads (its classic model, which Grafana 11 to 13 import).

https://grafana.com/docs/grafana/latest/dashboards/json-model/ describes the outer object; panels
are as Grafana exports them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

from dashboards.panels import Dashboard, Panel, Row, Style, Target, Variable

SCHEMA_VERSION = 39
"""That of Grafana 11.0; later versions migrate it when they load it."""
COLUMNS = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
TAG = "ffrtmp"

Json = dict[str, Any]


def render(dashboard: Dashboard) -> Json:
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "timepicker": {},
        "annotations": {"list": []},
        "links": [_link_to_the_others()],
        "templating": {
            "list": [_datasource_variable(), *(_variable(v) for v in dashboard.variables)]
        },
        "panels": list(_panels(dashboard.rows)),
    }


def _link_to_the_others() -> Json:
    return {
        "title": "Farm",
        "type": "dashboards",
        "tags": [TAG],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
    }


def _datasource_variable() -> Json:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "hide": 0,
    }


def _variable(variable: Variable) -> Json:
    query = f"label_values({variable.series}, {variable.name})"
    return {
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": "Values"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": {"text": ["All"], "value": ["$__all"]},
        "hide": 0,
    }


def _panels(rows: tuple[Row, ...]) -> Iterator[Json]:
    """Each row's title across, its panels below from left to right, wrapped at the edge."""
    ids = count(1)
    y = 0
    for row in rows:
        yield {
            "id": next(ids),
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1},
        }
        x, y, line_height = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y, line_height = 0, y + line_height, 0
            place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
            yield _panel(panel, next(ids), place)
            x, line_height = x + panel.width, max(line_height, panel.height)
        y += line_height


def _panel(panel: Panel, panel_id: int, place: dict[str, int]) -> Json:
    return {
        "id": panel_id,
        "type": panel.style.value,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides(panel)},
        "options": _OPTIONS[panel.style],
        "transformations": _transformations(panel),
        "targets": [_target(panel, *pair) for pair in zip(_ref_ids(), panel.targets, strict=False)],
    }


def _defaults(panel: Panel) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    if panel.warn_at is not None:
        steps.append({"color": "orange", "value": panel.warn_at})
    if panel.alarm_at is not None:
        steps.append({"color": "red", "value": panel.alarm_at})
    defaults: Json = {
        "unit": panel.unit.value,
        "min": 0,
        "noValue": panel.empty,
        "thresholds": {"mode": "absolute", "steps": steps},
        "color": {"mode": "thresholds" if panel.style is Style.NUMBER else "palette-classic"},
    }
    if panel.top is not None:
        defaults["max"] = panel.top
    if panel.style is Style.LINES:
        defaults["custom"] = {
            "lineWidth": 1,
            "fillOpacity": 30 if panel.stacked else 8,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if len(steps) > 1 else "off"},
        }
    return defaults


_LAST = {"calcs": ["lastNotNull"], "fields": "", "values": False}
_OPTIONS: dict[Style, Json] = {
    Style.LINES: {
        "legend": {
            "showLegend": True,
            "displayMode": "table",
            "placement": "bottom",
            "calcs": ["lastNotNull", "mean", "max"],
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    Style.NUMBER: {
        "reduceOptions": _LAST,
        "colorMode": "value",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
    },
    Style.TABLE: {"showHeader": True, "cellHeight": "sm", "footer": {"show": False}},
    Style.HEATMAP: {
        "calculate": False,
        "cellGap": 1,
        "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"mode": "single", "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "unit": "s"},
    },
}


def _transformations(panel: Panel) -> list[Json]:
    """A table joins the queries' results on their labels, one column for each query."""
    if panel.style is not Style.TABLE:
        return []
    columns = {
        f"Value #{ref_id}": target.legend
        for ref_id, target in zip(_ref_ids(), panel.targets, strict=False)
    }
    hidden = {"Time": True} | {column: True for column, legend in columns.items() if not legend}
    shown = {column: legend for column, legend in columns.items() if legend}
    return [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": hidden, "renameByName": shown}},
    ]


def _overrides(panel: Panel) -> list[Json]:
    return [
        {
            "matcher": {"id": "byName", "options": target.legend},
            "properties": [{"id": "unit", "value": target.unit.value}],
        }
        for target in panel.targets
        if target.unit is not None
    ]


def _target(panel: Panel, ref_id: str, target: Target) -> Json:
    # what is asked over the whole time shown has one value, not one for each moment
    instant = panel.style is Style.TABLE or "$__range" in target.query.expr
    formats = {Style.TABLE: "table", Style.HEATMAP: "heatmap"}
    return {
        "refId": ref_id,
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": target.query.expr,
        "legendFormat": "{{le}}" if panel.style is Style.HEATMAP else target.legend,
        "format": formats.get(panel.style, "time_series"),
        "instant": instant,
        "range": not instant,
    }


def _ref_ids() -> Iterator[str]:
    return iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
