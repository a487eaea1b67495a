"""PromQL made from metric definitions: a query can name only a metric and labels that exist.

Every query aggregates over the labels it was not asked for. Thus the same query serves our own
`/metrics` and Ray's export, which adds labels of its own (WorkerId changes at each restart).
"""

from __future__ import annotations

from dataclasses import dataclass

from ffrtmp_ray.metrics import Kind, Metric

Value = str | tuple[str, ...]
"""What a label must be: a text, one of several, or a Grafana variable (`$worker`)."""


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and the labels that its series have."""

    expr: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PromQL:
    """Makes queries. Each method raises ValueError for a metric of another kind, or a label that
    the metric does not have. `where` restricts labels to values."""

    prefix: str = ""
    """Before every name: `ray_` for Ray's export."""

    def latest(self, metric: Metric, *by: str, **where: Value) -> Query:
        """A gauge's present value by labels; where several series have them, the highest.

        The highest, not the sum: for moments after a restart Ray shows the old process' gauges
        beside the new one's.
        """
        _check(metric, Kind.GAUGE, by)
        return Query(f"max{_by(by)} ({self._series(metric, where)})", by)

    def total(self, metric: Metric, *by: str, **where: Value) -> Query:
        """The sum of a gauge over the labels that are not in `by`."""
        each = self.latest(metric, *metric.labels, **where)
        _check(metric, Kind.GAUGE, by)
        return Query(f"sum{_by(by)} ({each.expr})", by)

    def mean(self, metric: Metric, *by: str, **where: Value) -> Query:
        """The mean of a gauge over the labels that are not in `by`."""
        each = self.latest(metric, *metric.labels, **where)
        _check(metric, Kind.GAUGE, by)
        return Query(f"avg{_by(by)} ({each.expr})", by)

    def rate(
        self, metric: Metric, *by: str, window: str = "$__rate_interval", **where: Value
    ) -> Query:
        """How much a counter grows a second."""
        _check(metric, Kind.COUNTER, by)
        return Query(f"sum{_by(by)} (rate({self._series(metric, where)}[{window}]))", by)

    def increase(self, metric: Metric, *by: str, window: str = "$__range", **where: Value) -> Query:
        """How much a counter has grown in a time, estimated by Prometheus at its ends."""
        _check(metric, Kind.COUNTER, by)
        return Query(f"sum{_by(by)} (increase({self._series(metric, where)}[{window}]))", by)

    def quantile(self, q: float, metric: Metric, *, window: str = "$__rate_interval") -> Query:
        """The value below which a part `q` (0 to 1) of a histogram's observations lie."""
        return Query(f"histogram_quantile({q:g}, {self._bucket_rate('rate', metric, window)})")

    def buckets(self, metric: Metric, *, window: str = "$__rate_interval") -> Query:
        """What was added to each bucket of a histogram, cumulative over its bounds."""
        return Query(self._bucket_rate("increase", metric, window), ("le",))

    def _bucket_rate(self, function: str, metric: Metric, window: str) -> str:
        _check(metric, Kind.HISTOGRAM, ())
        return f"sum by (le) ({function}({self.prefix}{metric.name}_bucket[{window}]))"

    def _series(self, metric: Metric, where: dict[str, Value]) -> str:
        _check(metric, metric.kind, tuple(where))
        matchers = ", ".join(_matcher(label, value) for label, value in where.items())
        return f"{self.prefix}{metric.name}" + (f"{{{matchers}}}" if matchers else "")


def ratio(part: Query, whole: Query) -> Query:
    """`part / whole`, series by series; both must have the same labels."""
    if set(part.labels) != set(whole.labels):
        raise ValueError(f"the labels differ: {part.labels} and {whole.labels}")
    return Query(f"{part.expr} / {whole.expr}", part.labels)


def scaled(factor: float, query: Query) -> Query:
    return Query(f"{factor:g} * {query.expr}", query.labels)


def count(query: Query) -> Query:
    """How many series there are; 0 when there are none."""
    return Query(f"count({query.expr}) or vector(0)")


def or_zero(query: Query) -> Query:
    """0 where a query without labels finds nothing: a count that has not begun."""
    if query.labels:
        raise ValueError(f"a query by {query.labels} cannot default to one zero")
    return Query(f"{query.expr} or vector(0)")


def _check(metric: Metric, kind: Kind, labels: tuple[str, ...]) -> None:
    if metric.kind is not kind:
        raise ValueError(f"{metric.name} is a {metric.kind}, not a {kind}")
    unknown = [label for label in labels if label not in metric.labels]
    if unknown:
        raise ValueError(f"{metric.name} has no label {unknown}, it has {list(metric.labels)}")


def _by(labels: tuple[str, ...]) -> str:
    return f" by ({', '.join(labels)})" if labels else ""


def _matcher(label: str, value: Value) -> str:
    if isinstance(value, tuple):
        return f'{label}=~"{"|".join(value)}"'
    return f'{label}=~"{value}"' if value.startswith("$") else f'{label}="{value}"'
