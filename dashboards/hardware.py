"""Hardware Details: CPUs, memory and GPUs of the nodes that workers run on."""

from __future__ import annotations

from dashboards.panels import Dashboard, Panel, Row, Style, Target, Unit, Variable
from dashboards.promql import PromQL, Query, ratio
from ffrtmp_ray.metrics import (
    WORKER_CPU_USAGE,
    WORKER_GPU_ENCODER_PERCENT,
    WORKER_GPU_INFO,
    WORKER_GPU_MEMORY_TOTAL_BYTES,
    WORKER_GPU_MEMORY_USED_BYTES,
    WORKER_GPU_POWER_WATTS,
    WORKER_GPU_TEMPERATURE_CELSIUS,
    WORKER_GPU_UTILIZATION_PERCENT,
    WORKER_LOAD,
    WORKER_MEMORY_BYTES,
    WORKER_NODE_MEMORY_TOTAL_BYTES,
    WORKER_NODE_MEMORY_USED_BYTES,
    Metric,
)

NO_GPU = "no GPU"
GPU_LEGEND = "{{worker}} · GPU {{gpu}}"


def hardware_dashboard(promql: PromQL) -> Dashboard:
    return Dashboard(
        uid="ffrtmp-hardware",
        title="Hardware Details",
        description="What the machines have, and how much of it is in use.",
        variables=(Variable("worker", "Worker", f"{promql.prefix}{WORKER_LOAD.name}"),),
        rows=(
            Row("Nodes", _nodes(promql)),
            Row("GPUs", (_gpu_table(promql), *_gpu_use(promql), *_gpu_state(promql))),
        ),
    )


def _of_worker(promql: PromQL, metric: Metric) -> Query:
    return promql.latest(metric, "worker", worker="$worker")


def _of_gpu(promql: PromQL, metric: Metric) -> Query:
    return promql.latest(metric, "worker", "gpu", worker="$worker")


def _nodes(promql: PromQL) -> tuple[Panel, ...]:
    used = _of_worker(promql, WORKER_NODE_MEMORY_USED_BYTES)
    total = _of_worker(promql, WORKER_NODE_MEMORY_TOTAL_BYTES)
    return (
        Panel(
            "CPU use",
            "Of all CPUs of the node. Workers of one node show the same line.",
            (Target(_of_worker(promql, WORKER_CPU_USAGE), "{{worker}}"),),
            Unit.PERCENT,
            top=100,
        ),
        Panel(
            "Load average over a minute",
            "Processes that run or wait to run on the node. Far more than the node has CPUs: its "
            "encodes are slowed by each other or by something else.",
            (Target(_of_worker(promql, WORKER_LOAD), "{{worker}}"),),
        ),
        Panel(
            "Memory in use on the node",
            "By all processes. Ray kills workers when it comes near 95 %.",
            (Target(ratio(used, total), "{{worker}}"),),
            Unit.RATIO,
            top=1,
            warn_at=0.85,
            alarm_at=0.95,
        ),
        Panel(
            "Memory of the node and of its worker",
            "What the node has, what is in use, and what the worker and its processes use of it.",
            (
                Target(total, "{{worker}} · node has"),
                Target(used, "{{worker}} · node uses"),
                Target(_of_worker(promql, WORKER_MEMORY_BYTES), "{{worker}} · worker uses"),
            ),
            Unit.BYTES,
        ),
    )


def _gpu_table(promql: PromQL) -> Panel:
    info = promql.latest(WORKER_GPU_INFO, "worker", "gpu", "name", worker="$worker")
    columns = (
        (WORKER_GPU_UTILIZATION_PERCENT, "Cores", Unit.PERCENT),
        (WORKER_GPU_ENCODER_PERCENT, "Encoders", Unit.PERCENT),
        (WORKER_GPU_MEMORY_USED_BYTES, "Memory used", Unit.BYTES),
        (WORKER_GPU_MEMORY_TOTAL_BYTES, "Memory", Unit.BYTES),
        (WORKER_GPU_TEMPERATURE_CELSIUS, "Temperature", Unit.CELSIUS),
        (WORKER_GPU_POWER_WATTS, "Power", Unit.WATTS),
    )
    return Panel(
        "GPUs",
        "One line each, as they are now.",
        (
            Target(info, ""),
            *(Target(_of_gpu(promql, metric), name, unit) for metric, name, unit in columns),
        ),
        style=Style.TABLE,
        width=24,
        height=6,
        empty=NO_GPU,
    )


def _gpu_use(promql: PromQL) -> tuple[Panel, ...]:
    memory = ratio(
        _of_gpu(promql, WORKER_GPU_MEMORY_USED_BYTES),
        _of_gpu(promql, WORKER_GPU_MEMORY_TOTAL_BYTES),
    )
    return (
        Panel(
            "Encoder use",
            "Of the GPU's video encoders. At 100 the GPU encodes as fast as it can.",
            (Target(_of_gpu(promql, WORKER_GPU_ENCODER_PERCENT), GPU_LEGEND),),
            Unit.PERCENT,
            top=100,
            width=8,
            empty=NO_GPU,
        ),
        Panel(
            "Core use",
            "Of the GPU's general cores, which scale and filter. Near 100 while the encoders are "
            "not: scaling is what limits.",
            (Target(_of_gpu(promql, WORKER_GPU_UTILIZATION_PERCENT), GPU_LEGEND),),
            Unit.PERCENT,
            top=100,
            width=8,
            empty=NO_GPU,
        ),
        Panel(
            "Memory in use on the GPU",
            "Encodes that find none left go back to the queue, and may then run on CPUs.",
            (Target(memory, GPU_LEGEND),),
            Unit.RATIO,
            top=1,
            warn_at=0.9,
            width=8,
            empty=NO_GPU,
        ),
    )


def _gpu_state(promql: PromQL) -> tuple[Panel, ...]:
    return (
        Panel(
            "Temperature",
            "Most data centre GPUs slow down from somewhat above 85 °C.",
            (Target(_of_gpu(promql, WORKER_GPU_TEMPERATURE_CELSIUS), GPU_LEGEND),),
            Unit.CELSIUS,
            warn_at=80,
            alarm_at=87,
            empty=NO_GPU,
        ),
        Panel(
            "Power",
            "What the GPU draws; stacked, so that the top is what all draw together.",
            (Target(_of_gpu(promql, WORKER_GPU_POWER_WATTS), GPU_LEGEND),),
            Unit.WATTS,
            stacked=True,
            empty=NO_GPU,
        ),
    )
