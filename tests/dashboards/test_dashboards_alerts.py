"""Each alert is raised by what it is for, and by nothing else; promtool plays the series."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dashboards.build import HERE
from dashboards.promql import PromQL
from dashboards.rules import rules
from tests.dashboards.prometheus import promtool

Series = dict[str, str]
"""Values by series, one every 15 seconds for half an hour, as promtool writes them: `1x120` stays
at 1, `0+3x120` rises by 3."""

AT_WORK: Series = {
    "ffrtmp_active_jobs": "1x120",
    'ffrtmp_queue_length{queue="default", priority="medium"}': "3x120",
    'ffrtmp_queue_length{queue="live", priority="high"}': "0x120",
    'ffrtmp_worker_active_jobs{worker="w1"}': "1x120",
    'ffrtmp_worker_heartbeats_total{worker="w1"}': "0+15x120",
    'ffrtmp_worker_node_memory_used_bytes{worker="w1"}': "50x120",
    'ffrtmp_worker_node_memory_total_bytes{worker="w1"}': "100x120",
    'ffrtmp_worker_gpu_temperature_celsius{worker="w1", gpu="0"}': "60x120",
    'ffrtmp_jobs_total{state="completed"}': "0+1x120",
    'ffrtmp_jobs_total{state="failed"}': "0x120",
    'ffrtmp_schedule_attempts_total{result="unmet"}': "0x120",
}
NO_WORKER: Series = {name: values for name, values in AT_WORK.items() if "worker" not in name}

SITUATIONS: dict[str, tuple[Series, set[str]]] = {
    "a farm at work": (AT_WORK, set()),
    "nothing is scraped": ({}, {"FfrtmpSchedulerSilent"}),
    "no worker is left, and work": (
        NO_WORKER | {"ffrtmp_active_jobs": "0x120"},
        {"FfrtmpNoWorkers", "FfrtmpNothingPlaced"},
    ),
    "an idle farm": (
        AT_WORK
        | {
            "ffrtmp_active_jobs": "0x120",
            'ffrtmp_queue_length{queue="default", priority="medium"}': "0x120",
        },
        set(),
    ),
    "a worker that answers every fifth second": (
        AT_WORK | {'ffrtmp_worker_heartbeats_total{worker="w1"}': "0+3x120"},
        {"FfrtmpWorkerSlowToAnswer"},
    ),
    "a worker that is gone, whose count Ray still exports": (
        AT_WORK | {'ffrtmp_worker_heartbeats_total{worker="w0"}': "900x120"},
        set(),
    ),
    "a third of the jobs fail": (
        AT_WORK
        | {
            'ffrtmp_jobs_total{state="completed"}': "0+2x120",
            'ffrtmp_jobs_total{state="failed"}': "0+1x120",
        },
        {"FfrtmpJobsFail"},
    ),
    "the only job of the half hour failed": (
        AT_WORK
        | {
            'ffrtmp_jobs_total{state="completed"}': "0x120",
            'ffrtmp_jobs_total{state="failed"}': "0x60 1x60",
        },
        set(),
    ),
    "a task that wants what no worker has": (
        AT_WORK | {'ffrtmp_schedule_attempts_total{result="unmet"}': "0+1x120"},
        {"FfrtmpNoWorkerCanDoIt"},
    ),
    "a live job that waits": (
        AT_WORK | {'ffrtmp_queue_length{queue="live", priority="high"}': "1x120"},
        {"FfrtmpLiveJobWaits"},
    ),
    "a node with its memory full": (
        AT_WORK | {'ffrtmp_worker_node_memory_used_bytes{worker="w1"}': "93x120"},
        {"FfrtmpNodeMemoryNearlyFull"},
    ),
    "a hot GPU": (
        AT_WORK | {'ffrtmp_worker_gpu_temperature_celsius{worker="w1", gpu="0"}': "91x120"},
        {"FfrtmpGpuHot"},
    ),
}


@pytest.mark.parametrize(("series", "alerts"), SITUATIONS.values(), ids=SITUATIONS.keys())
def test_the_right_alerts_are_raised(series: Series, alerts: set[str], tmp_path: Path) -> None:
    play = {
        "rule_files": [str(HERE / "prometheus" / "rules.yml")],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": [{"series": n, "values": v} for n, v in series.items()],
                "promql_expr_test": [
                    {
                        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": "29m",
                        "exp_samples": [
                            {"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in alerts
                        ],
                    }
                ],
            }
        ],
    }
    file = tmp_path / "play.yml"
    file.write_text(json.dumps(play))  # JSON is YAML

    promtool("test", "rules", file)


def test_every_alert_is_raised_in_a_situation() -> None:
    groups = rules(PromQL())["groups"]
    defined = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}

    assert set.union(*(alerts for _, alerts in SITUATIONS.values())) == defined
