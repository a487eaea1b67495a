"""Builds the dashboards and rules: `python -m dashboards.build`, from the checkout's root.

They are made for the names at our own `/metrics`. `--prefix ray_` makes them for Ray's export.
`/metrics` is the default because it is one address to scrape, its durations' sum is exact, and a
counter is there from the start, at zero; Ray's export has none of the three. The prefix is built
in, not a variable of the dashboards, so that each query can be copied into Prometheus as it is,
and because rules have no variables.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from dashboards.grafana import render
from dashboards.hardware import hardware_dashboard
from dashboards.panels import Dashboard
from dashboards.promql import PromQL
from dashboards.rules import rules
from dashboards.scheduler import scheduler_dashboard
from dashboards.workers import workers_dashboard

HERE = Path(__file__).parent
BUILT = "Built by `python -m dashboards.build`. Change dashboards/rules.py, not this file."


def dashboards(promql: PromQL) -> tuple[Dashboard, ...]:
    return scheduler_dashboard(promql), workers_dashboard(promql), hardware_dashboard(promql)


def files(promql: PromQL) -> Mapping[Path, str]:
    """What is built, by path below the output folder. The same every time."""
    built = {
        Path("grafana", dashboard.file_name): json.dumps(
            render(dashboard), indent=2, ensure_ascii=False
        )
        + "\n"
        for dashboard in dashboards(promql)
    }
    content = yaml.safe_dump(rules(promql), sort_keys=False, allow_unicode=True, width=100)
    return built | {Path("prometheus", "rules.yml"): f"# {BUILT}\n{content}"}


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the Grafana dashboards and the rules.")
    parser.add_argument("--prefix", default="", help="before every metric's name: ray_, or nothing")
    parser.add_argument("--output", type=Path, default=HERE, help="the folder to write to")
    arguments = parser.parse_args()
    for path, text in files(PromQL(arguments.prefix)).items():
        target: Path = arguments.output / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main()
