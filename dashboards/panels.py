"""What dashboards are made of, as values. `grafana.py` turns them into Grafana's JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from dashboards.promql import Query


class Unit(StrEnum):
    """Grafana's names of the units that we use."""

    COUNT = "short"
    SECONDS = "s"
    BYTES = "bytes"
    PERCENT = "percent"
    """0 to 100."""
    RATIO = "percentunit"
    """0 to 1, shown as a percentage."""
    PER_MINUTE = "cpm"
    PER_SECOND = "ops"
    CELSIUS = "celsius"
    WATTS = "watt"


class Style(StrEnum):
    """Grafana's names of the kinds of panel that we use."""

    LINES = "timeseries"
    NUMBER = "stat"
    TABLE = "table"
    HEATMAP = "heatmap"


@dataclass(frozen=True, slots=True)
class Target:
    """One query of a panel and what its series are called, such as `{{worker}}`.

    In a table the legend names the query's column; an empty one shows the query's labels alone.
    """

    query: Query
    legend: str
    unit: Unit | None = None
    """Of a table's column; elsewhere the panel's unit holds."""

    def __post_init__(self) -> None:
        unknown = set(re.findall(r"{{(\w+)}}", self.legend)) - set(self.query.labels)
        if unknown:
            raise ValueError(f"the legend names {unknown}, the query has {self.query.labels}")


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    description: str
    """What it shows and what to do about it; Grafana shows it beside the title."""
    targets: tuple[Target, ...]
    unit: Unit = Unit.COUNT
    style: Style = Style.LINES
    width: int = 12
    """Of 24 columns."""
    height: int = 8
    """In Grafana's units of 30 pixels."""
    warn_at: float | None = None
    """From this value on orange,"""
    alarm_at: float | None = None
    """and from this one on red."""
    stacked: bool = False
    top: float | None = None
    """The highest value of the axis, where there is one; the lowest is always 0."""
    empty: str = "no data"
    """Shown where the query finds nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """A titled band of panels, laid out from left to right."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of a dashboard: values of a label, all of them at first."""

    name: str
    label: str
    series: str
    """The name of the metric whose label it is."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()

    @property
    def file_name(self) -> str:
        return self.title.lower().replace(" ", "-") + ".json"


def number(
    title: str,
    description: str,
    target: Target,
    unit: Unit = Unit.COUNT,
    alarm_at: float | None = None,
) -> Panel:
    """A panel of one large number; six of them fill a line."""
    return Panel(
        title, description, (target,), unit, Style.NUMBER, width=4, height=4, alarm_at=alarm_at
    )
